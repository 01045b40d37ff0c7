//! Notices sent to a webhook and a mail server that follow their protocols strictly.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use graft_core::ExitCode;
use graft_notify::{Email, EmailOptions, Error, Notice, NoticeState, Receiver, Webhook};
use graft_testkit::{ReceiverMood, Smtp};
use serde_json::{Value, json};

fn notice(id: &str, why: &str) -> Notice {
    Notice {
        id: id.into(),
        at: 1_767_225_600_000,
        state: NoticeState::Open,
        kind: "withdrawn".into(),
        task: Some("mail".into()),
        subject: Some("v2".into()),
        title: "Version `v2` of task `mail` was withdrawn.".into(),
        why: why.into(),
        next: "Look at its wrong answers.".into(),
        link: "https://graft.example/versions?task=mail".into(),
        details: Value::Null,
    }
}

fn webhook(url: &str, secret: &str) -> Receiver {
    Receiver::Webhook(Webhook::new(url, Some(secret.into()), None).unwrap())
}

fn options(server: &Smtp) -> EmailOptions {
    EmailOptions {
        server: server.url(),
        password: Some(Smtp::PASSWORD.into()),
        from: "Graft <graft@x.example>".into(),
        to: vec!["ada@x.example".into(), "Bob <bob@x.example>".into()],
        ca_file: None,
    }
}

#[test]
fn webhook_gets_notices_as_text_and_as_data() {
    let server = graft_testkit::Webhook::start().unwrap();
    let receiver = webhook(&server.url(), graft_testkit::Webhook::SECRET);
    receiver.send(&[notice("a", "Why: <!channel>."), notice("b", "Why: b.")]).unwrap();
    let taken = server.taken().pop().unwrap();
    assert_eq!((&taken["schema"], &taken["notices"][1]["id"]), (&json!(1), &json!("b")));
    assert_eq!(taken["notices"][0]["state"], "open");
    let text = taken["text"].as_str().unwrap();
    assert!(text.starts_with("Version `v2` of task `mail` was withdrawn.\nWhy: &lt;!channel&gt;.\nLook"), "{text}");
}

#[test]
fn webhook_that_fails_is_reported_without_its_path() {
    let server = graft_testkit::Webhook::start().unwrap();
    let hidden = |error: &Error| assert!(!format!("{error}{error:?}").contains("hidden"), "{error:?}");
    let receiver = webhook(&server.url(), "another secret");
    let error = receiver.send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason == "status 401 wrong signature"), "{error:?}");
    hidden(&error);
    // A server that quotes the path, which is the secret.
    let wrong = webhook(&format!("{}/hidden/path", server.url()), graft_testkit::Webhook::SECRET);
    let error = wrong.send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason == "status 404 Cannot POST …"), "{error:?}");
    hidden(&error);
    server.set(ReceiverMood::Away);
    let error = receiver.send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    hidden(&error);
    let closed = graft_testkit::free_port().unwrap();
    let error = webhook(&format!("http://127.0.0.1:{closed}/hidden"), "s").send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.exit_code() == ExitCode::Network, "{error:?}");
    hidden(&error);
}

#[test]
fn email_arrives_whatever_is_in_it() {
    let server = Smtp::start().unwrap();
    let receiver = Receiver::Email(Email::new(&options(&server)).unwrap());
    receiver.check().unwrap();
    let long = "x".repeat(3000);
    receiver.send(&[notice("a", &format!(".\n..\n.hidden dot\r\n{long} ≥ 0.2 “größer”"))]).unwrap();
    receiver.send(&[notice("a", ".\nplain"), notice("b", "Why: b.")]).unwrap();
    let taken = server.taken();
    // Each mailbox has its own.
    assert_eq!((taken.len(), taken[0].from.as_str()), (4, "graft@x.example"));
    assert_eq!(
        (&taken[0].to[..], &taken[1].to[..]),
        (&["ada@x.example".to_owned()][..], &["bob@x.example".to_owned()][..])
    );
    let mail = &taken[2].content;
    assert!(mail.contains("Message-ID: <a.2@x.example>\r\n") && mail.contains("Auto-Submitted: auto-generated\r\n"));
    assert!(mail.contains("Subject: [Graft] 2 notices: Version `v2` of task `mail` was withdrawn.\r\n"), "{mail}");
    assert!(mail.contains("Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"), "{mail}");
    assert!(mail.contains("withdrawn.\r\n.\r\nplain\r\nLook at its wrong answers.\r\n"), "a line with one dot: {mail}");
}

#[test]
fn mail_server_that_refuses_is_reported_without_the_password() {
    let server = Smtp::start().unwrap();
    let hidden = |error: &Error| assert!(!format!("{error}{error:?}").contains("hidden"), "{error:?}");
    let wrong = EmailOptions { password: Some("hidden too".into()), ..options(&server) };
    let error = Email::new(&wrong).map(Receiver::Email).unwrap().check().unwrap_err();
    assert!(matches!(error, Error::Login { .. }) && error.hint().is_some(), "{error:?}");
    hidden(&error);
    let nobody = EmailOptions { to: vec!["ada@nobody.example".into()], ..options(&server) };
    let error = Email::new(&nobody).map(Receiver::Email).unwrap().send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && error.to_string().contains("nobody has this address"), "{error}");
    assert!(error.is_permanent());
    // Ada gets it although the other mailbox is gone.
    let one = EmailOptions { to: vec!["bob@nobody.example".into(), "ada@x.example".into()], ..options(&server) };
    let refused = Email::new(&one).map(Receiver::Email).unwrap().send(&[notice("a", "b")]).unwrap().unwrap();
    assert!(refused.to_string().contains("bob@nobody.example"), "{refused}");
    assert_eq!(server.taken().iter().map(|mail| mail.to.concat()).collect::<Vec<_>>(), ["ada@x.example"]);
    let receiver = Receiver::Email(Email::new(&options(&server)).unwrap());
    server.set(ReceiverMood::Away);
    let error = receiver.send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    server.set(ReceiverMood::Broken);
    let error = receiver.send(&[notice("a", "b")]).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(!error.is_permanent(), "{error:?}");
    assert_eq!(server.taken().len(), 1);
}
