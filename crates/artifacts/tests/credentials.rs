//! Credentials that are not in the environment are found, used, and renewed before they expire.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, io::Write as _, time::Duration};

use graft_artifacts::{Artifacts, Error};
use graft_testkit::{Roles, S3};

const FOLDER: &str = "adapters/sentiment/run 1";
const LONG: Duration = Duration::from_secs(3600);
/// Shorter than the renewal margin, so every use renews the credentials.
const SHORT: Duration = Duration::from_secs(60);

fn open(server: &S3, more: &[(&str, String)]) -> Artifacts {
    let place = server.place();
    let variables = place.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone()));
    Artifacts::open(&server.url(), variables).unwrap()
}

/// Whether the server accepts requests with these credentials.
async fn is_accepted(place: &Artifacts) -> bool {
    match place.contains(FOLDER).await {
        Ok(_) => true,
        Err(Error::Transfer { refused: true, .. }) => false,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn role_credentials_are_renewed_before_they_expire() {
    let server = S3::start().unwrap();
    for (lifetime, issued) in [(LONG, 1), (SHORT, 2)] {
        for of_a_machine in [false, true] {
            let roles = Roles::start(lifetime).unwrap();
            let variables = if of_a_machine { roles.machine().to_vec() } else { roles.container().to_vec() };
            let place = open(&server, &variables);
            assert_eq!(roles.issued(), 0, "nobody is asked before keys are needed");
            server.demand(Some("session 1"));
            assert!(is_accepted(&place).await, "{variables:?}");
            server.demand(Some(&format!("session {issued}")));
            // `object_store` asks the role's server at most ten times a second.
            tokio::time::sleep(Duration::from_millis(150)).await;
            assert!(is_accepted(&place).await, "{variables:?}");
            assert_eq!(roles.issued(), issued);
        }
    }
}

#[tokio::test]
async fn error_without_credentials_names_the_searched_places() {
    let (server, roles) = (S3::start().unwrap(), Roles::start(LONG).unwrap());
    let mut token = tempfile::NamedTempFile::new().unwrap();
    token.write_all(b"Bearer of nobody").unwrap();
    let [uri, (name, _)] = roles.container();
    let stranger = open(&server, &[uri.clone(), (name, token.path().to_str().unwrap().into())]);
    let error = stranger.contains(FOLDER).await.unwrap_err();
    let said = format!("{error:?}");
    assert!(said.contains(&uri.1) && said.contains("401") && !said.contains("Bearer of nobody"), "{said}");
    roles.break_down();
    let [(_, machine)] = roles.machine();
    let error = open(&server, &roles.machine()).contains(FOLDER).await.unwrap_err();
    assert!(format!("{error:?}").contains(&machine), "{error:?}");
    assert!(error.hint().unwrap().contains("AWS_PROFILE"));
    assert_eq!(server.refused(), 0, "nothing was sent without keys");
}

#[tokio::test]
async fn profile_in_shared_file_is_used() {
    let (server, home) = (S3::start().unwrap(), tempfile::tempdir().unwrap());
    let [.., (_, id), (_, secret)] = server.environment();
    let file = home.path().join(".aws/credentials");
    fs::create_dir(home.path().join(".aws")).unwrap();
    let text = format!(
        "[default]\naws_access_key_id = x\naws_secret_access_key = y\n\n\
         [team]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"
    );
    fs::write(&file, text).unwrap();
    let place = |profile: &str| {
        let home = home.path().to_str().unwrap().to_owned();
        open(&server, &[("HOME", home), ("AWS_PROFILE", profile.into())])
    };
    assert!(is_accepted(&place("team")).await);
    assert!(!is_accepted(&place("default")).await);
    let elsewhere = file.to_str().unwrap().to_owned();
    assert!(
        is_accepted(&open(&server, &[("AWS_SHARED_CREDENTIALS_FILE", elsewhere), ("AWS_PROFILE", "team".into())]))
            .await
    );
}
