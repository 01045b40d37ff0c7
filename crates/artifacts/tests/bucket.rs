//! Tests of the bucket client against a server that verifies every signature.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use graft_artifacts::{Artifacts, Error};
use graft_testkit::S3;

const FOLDER: &str = "adapters/sentiment/run 1";

fn files() -> Vec<(String, Vec<u8>)> {
    let weights: Vec<u8> = (0..100_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    [("adapter_config.json", b"{}".to_vec()), ("adapter_model.safetensors", weights), ("graft.json", b"[]".to_vec())]
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .into()
}

#[tokio::test]
async fn folder_is_published_completely_or_not_at_all() {
    let server = S3::start().unwrap();
    let here = open(&server, None);
    assert!(matches!(here.fetch(FOLDER).await, Err(Error::Missing { .. })));
    here.publish(FOLDER, &files()).await.unwrap();
    here.publish(FOLDER, &files()).await.unwrap();
    assert_eq!(here.fetch(FOLDER).await.unwrap(), files());
    here.publish("adapters/sentiment/run 2", &files()).await.unwrap();
    let folders = here.folders("adapters").await.unwrap();
    assert_eq!(folders.iter().map(|f| f.folder.as_str()).collect::<Vec<_>>(), [FOLDER, "adapters/sentiment/run 2"]);
    assert!(folders.iter().all(|folder| folder.is_whole && folder.written_at > 1_700_000_000_000));

    // The error names the damaged object.
    let object = format!("{FOLDER}/adapter_model.safetensors");
    type Damage = fn(Option<Vec<u8>>) -> Option<Vec<u8>>;
    let damages: [(Damage, &str); 3] = [
        (
            |bytes| {
                bytes.map(|mut bytes| {
                    bytes[9] ^= 1;
                    bytes
                })
            },
            "differs from what was published",
        ),
        (|bytes| bytes.map(|bytes| bytes[1..].to_vec()), "but its list says 400000"),
        (|_| None, "it is gone"),
    ];
    for (damage, words) in damages {
        server.change(&object, damage);
        let error = here.fetch(FOLDER).await.unwrap_err();
        assert!(error.to_string().contains(&object) && error.to_string().contains(words), "{error}");
        server.change(&object, |_| Some(files().remove(1).1));
    }
    server.change(&format!("{FOLDER}/graft-files.json"), |_| Some(b"{\"files\":{\"../x\":{}}}".to_vec()));
    assert!(matches!(here.fetch(FOLDER).await, Err(Error::Damaged { .. })));
    here.remove(FOLDER).await.unwrap();
    here.remove(FOLDER).await.unwrap();
    assert!(!here.contains(FOLDER).await.unwrap());
    assert_eq!(server.keys().len(), 4, "the other folder stays: {:?}", server.keys());

    // An interrupted upload is not a published folder.
    server.allow_puts(Some(2));
    let two_are_there = async {
        while server.keys().len() < 4 + 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let files = files();
    tokio::select! {
        _ = here.publish(FOLDER, &files) => panic!("the third object is not answered"),
        () = two_are_there => {}
    }
    server.allow_puts(None);
    assert!(!here.contains(FOLDER).await.unwrap());
    let folders = here.folders("adapters").await.unwrap();
    assert!(folders.iter().any(|folder| folder.folder == FOLDER && !folder.is_whole), "{folders:?}");

    assert_eq!(server.refused(), 0, "every signature was right");
    let stranger = open(&server, Some("another secret"));
    let error = stranger.fetch(FOLDER).await.unwrap_err();
    assert!(matches!(error, Error::Transfer { refused: true, .. }), "{error:?}");
    assert_eq!(server.refused(), 1, "a wrong signature is not tried again");
}

#[tokio::test]
async fn shared_folder_works_as_store() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}/shared/place", dir.path().display());
    let (one, two) = (Artifacts::open(&url, []).unwrap(), Artifacts::open(&url, []).unwrap());
    assert!(one.folders("adapters").await.unwrap().is_empty());
    one.publish(FOLDER, &files()).await.unwrap();
    assert_eq!(two.fetch(FOLDER).await.unwrap(), files());
    assert!(two.folders("adapters").await.unwrap().iter().all(|folder| folder.is_whole && folder.folder == FOLDER));
    two.remove(FOLDER).await.unwrap();
    two.remove(FOLDER).await.unwrap();
    assert!(matches!(one.fetch(FOLDER).await, Err(Error::Missing { .. })));
    assert!(one.folders("adapters").await.unwrap().is_empty());
}

fn open(server: &S3, secret: Option<&str>) -> Artifacts {
    let mut variables: Vec<(String, String)> =
        server.environment().map(|(name, value)| (name.to_owned(), value)).into();
    variables.extend(secret.map(|secret| ("AWS_SECRET_ACCESS_KEY".to_owned(), secret.to_owned())));
    Artifacts::open(&server.url(), variables).unwrap()
}
