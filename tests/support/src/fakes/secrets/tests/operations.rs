//! The operations, called by the real AWS SDK.

use std::collections::BTreeSet;

use aws_sdk_secretsmanager::{
    Client, config,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{Filter, FilterNameStringType},
};

use super::secrets_manager;
use crate::fakes::{SecretsManager, WriteBehaviour};

const NAME: &str = "lendswift/newco";
const TOKEN: &str = "11111111-1111-4111-8111-111111111111";

async fn start() -> (SecretsManager, Client) {
    let secrets = secrets_manager().await;
    let config = config::Builder::from(&crate::aws()).endpoint_url(secrets.url()).build();
    (secrets, Client::from_conf(config))
}

/// The code and the message of an error.
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> (String, String) {
    let error = result.expect_err("a refusal");
    let [code, message] = [error.code(), error.message()].map(|text| text.unwrap_or_default().to_owned());
    (code, message)
}

async fn create(client: &Client, text: &str) -> String {
    let created = client.create_secret().name(NAME).secret_string(text).send().await.unwrap();
    assert_eq!(created.name(), Some(NAME));
    created.arn().unwrap().to_owned()
}

async fn put(client: &Client, text: &str) -> String {
    let put = client.put_secret_value().secret_id(NAME).secret_string(text).send().await.unwrap();
    assert_eq!((put.name(), put.version_stages()), (Some(NAME), ["AWSCURRENT".to_owned()].as_slice()));
    put.version_id().unwrap().to_owned()
}

async fn read(client: &Client, id: &str) -> String {
    let secret = client.get_secret_value().secret_id(id).send().await.unwrap();
    secret.secret_string().unwrap().to_owned()
}

/// The text of the version with this label, or the error's message.
async fn labelled(client: &Client, label: &str) -> String {
    match client.get_secret_value().secret_id(NAME).version_stage(label).send().await {
        Ok(secret) => secret.secret_string().unwrap().to_owned(),
        Err(error) => error.message().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_secret_has_a_name_an_arn_and_a_partial_arn() {
    let (_secrets, client) = start().await;
    let arn = create(&client, "one").await;
    for id in [NAME, &arn, &arn[..arn.len() - 7]] {
        assert_eq!(read(&client, id).await, "one");
    }
    let another = client.get_secret_value().secret_id(&arn[..arn.len() - 1]).send().await;
    assert_eq!(refused(another).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_name_can_be_created_once() {
    let (_secrets, client) = start().await;
    let request = |text: &str| client.create_secret().name(NAME).client_request_token(TOKEN).secret_string(text);
    let created = request("one").send().await.unwrap();
    assert_eq!(created.version_id(), Some(TOKEN));
    let again = request("one").send().await.unwrap();
    assert_eq!((again.arn(), again.version_id()), (created.arn(), Some(TOKEN)));
    let (code, message) = refused(request("two").send().await);
    assert_eq!(code, "ResourceExistsException");
    assert!(message.starts_with(&format!("You can't use ClientRequestToken {TOKEN} because")), "{message}");
    assert_eq!(
        refused(client.create_secret().name(NAME).secret_string("one").send().await),
        (
            "ResourceExistsException".to_owned(),
            "The operation failed because the secret lendswift/newco already exists.".to_owned()
        )
    );
    assert_eq!(read(&client, NAME).await, "one");
}

#[tokio::test]
async fn a_new_version_is_current_and_the_last_one_previous() {
    let (_secrets, client) = start().await;
    create(&client, "one").await;
    assert!(labelled(&client, "AWSPREVIOUS").await.ends_with("for staging label: AWSPREVIOUS"));
    let second = put(&client, "two").await;
    let third = put(&client, "three").await;
    assert_eq!(read(&client, NAME).await, "three");
    assert_eq!(labelled(&client, "AWSPREVIOUS").await, "two");
    let by_id = client.get_secret_value().secret_id(NAME).version_id(&second).send().await.unwrap();
    assert_eq!(by_id.secret_string(), Some("two"));

    let described = client.describe_secret().secret_id(NAME).send().await.unwrap();
    let labels = described.version_ids_to_stages().unwrap();
    assert_eq!(
        (labels.len(), &labels[&third], &labels[&second]),
        (2, &vec!["AWSCURRENT".to_owned()], &vec!["AWSPREVIOUS".to_owned()])
    );
    assert!(described.last_changed_date() >= described.created_date() && described.deleted_date().is_none());
}

#[tokio::test]
async fn a_version_with_a_label_of_its_own_is_not_current() {
    let (_secrets, client) = start().await;
    create(&client, "one").await;
    let pending = client.put_secret_value().secret_id(NAME).secret_string("two").version_stages("AWSPENDING");
    pending.send().await.unwrap();
    assert_eq!(
        (read(&client, NAME).await, labelled(&client, "AWSPENDING").await),
        ("one".to_owned(), "two".to_owned())
    );
    // The first version of a secret is current in any case.
    client.create_secret().name("empty").send().await.unwrap();
    let missing = client.get_secret_value().secret_id("empty").send().await;
    assert_eq!(refused(missing).0, "ResourceNotFoundException");
    let first = client.put_secret_value().secret_id("empty").secret_string("one").version_stages("AWSPENDING");
    assert_eq!(first.send().await.unwrap().version_stages(), ["AWSCURRENT", "AWSPENDING"]);
}

#[tokio::test]
async fn the_same_put_again_adds_no_version() {
    let (_secrets, client) = start().await;
    create(&client, "one").await;
    let request =
        |text: &str| client.put_secret_value().secret_id(NAME).client_request_token(TOKEN).secret_string(text);
    for _ in 0..2 {
        assert_eq!(request("two").send().await.unwrap().version_id(), Some(TOKEN));
    }
    assert_eq!(labelled(&client, "AWSPREVIOUS").await, "one");
    assert_eq!(refused(request("three").send().await).0, "ResourceExistsException");
    let short = client.put_secret_value().secret_id(NAME).client_request_token("short").secret_string("four");
    assert_eq!(refused(short.send().await).0, "InvalidParameterException");
    assert_eq!(read(&client, NAME).await, "two");
}

#[tokio::test]
async fn a_deleted_secret_can_be_restored() {
    let (_secrets, client) = start().await;
    create(&client, "one").await;
    let deleted = client.delete_secret().secret_id(NAME).recovery_window_in_days(7).send().await.unwrap();
    let in_a_week = crate::now().cast_signed() + 7 * 86_400;
    assert!((in_a_week - 60..=in_a_week).contains(&deleted.deletion_date().unwrap().secs()));

    let message = "You can't perform this operation on the secret because it was marked for deletion.";
    let marked = ("InvalidRequestException".to_owned(), message.to_owned());
    assert_eq!(refused(client.get_secret_value().secret_id(NAME).send().await), marked);
    assert_eq!(refused(client.put_secret_value().secret_id(NAME).secret_string("two").send().await), marked);
    assert_eq!(refused(client.delete_secret().secret_id(NAME).send().await), marked);
    let (code, message) = refused(client.create_secret().name(NAME).secret_string("two").send().await);
    assert!(code == "InvalidRequestException" && message.contains("already scheduled for deletion"), "{message}");
    let described = client.describe_secret().secret_id(NAME).send().await.unwrap();
    assert_eq!(described.deleted_date().unwrap().secs(), deleted.deletion_date().unwrap().secs());

    client.restore_secret().secret_id(NAME).send().await.unwrap();
    assert_eq!(read(&client, NAME).await, "one");
}

#[tokio::test]
async fn a_forced_deletion_frees_the_name() {
    let (_secrets, client) = start().await;
    let arn = create(&client, "one").await;
    client.delete_secret().secret_id(NAME).send().await.unwrap();
    client.delete_secret().secret_id(&arn).force_delete_without_recovery(true).send().await.unwrap();
    assert_eq!(refused(client.get_secret_value().secret_id(NAME).send().await).0, "ResourceNotFoundException");
    // AWS reports success for a secret that does not exist, too.
    client.delete_secret().secret_id(NAME).force_delete_without_recovery(true).send().await.unwrap();
    assert_ne!(create(&client, "two").await, arn);
}

#[tokio::test]
async fn parameters_that_contradict_each_other_are_refused() {
    let (_secrets, client) = start().await;
    create(&client, "one").await;
    let both = client.delete_secret().secret_id(NAME).recovery_window_in_days(7).force_delete_without_recovery(true);
    assert_eq!(refused(both.send().await).0, "InvalidParameterException");
    for days in [6, 31] {
        let window = client.delete_secret().secret_id(NAME).recovery_window_in_days(days).send().await;
        assert_eq!(refused(window).0, "InvalidParameterException");
    }
    let neither = client.put_secret_value().secret_id(NAME).send().await;
    assert_eq!(refused(neither).0, "InvalidRequestException");
    let both = client.put_secret_value().secret_id(NAME).secret_string("two").secret_binary(Blob::new("two"));
    assert_eq!(refused(both.send().await).0, "InvalidParameterException");
    let name = client.create_secret().name("new co").secret_string("one").send().await;
    assert_eq!(refused(name).0, "ValidationException");
    assert_eq!(refused(client.rotate_secret().secret_id(NAME).send().await).0, "UnknownOperationException");
    assert_eq!(read(&client, NAME).await, "one");
}

#[tokio::test]
async fn an_unknown_secret_is_not_found() {
    let (secrets, client) = start().await;
    let not_found = [
        refused(client.get_secret_value().secret_id(NAME).send().await),
        refused(client.put_secret_value().secret_id(NAME).secret_string("one").send().await),
        refused(client.describe_secret().secret_id(NAME).send().await),
        refused(client.delete_secret().secret_id(NAME).send().await),
        refused(client.restore_secret().secret_id(NAME).send().await),
    ];
    let message = "Secrets Manager can't find the specified secret.";
    assert!(
        not_found.iter().all(|found| found.0 == "ResourceNotFoundException" && found.1 == message),
        "{not_found:?}"
    );
    assert_eq!(secrets.calls(), [NAME], "only reads are counted");
}

#[tokio::test]
async fn a_label_moves_only_from_the_version_that_has_it() {
    let (_secrets, client) = start().await;
    create(&client, "one").await;
    let first = client.get_secret_value().secret_id(NAME).send().await.unwrap().version_id.unwrap();
    let pending = client.put_secret_value().secret_id(NAME).secret_string("two").version_stages("pending");
    let second = pending.client_request_token(TOKEN).send().await.unwrap().version_id.unwrap();
    assert_eq!(
        (labelled(&client, "AWSCURRENT").await, labelled(&client, "pending").await),
        ("one".into(), "two".into())
    );

    let promote = |from: &str| {
        let promote = client.update_secret_version_stage().secret_id(NAME).version_stage("AWSCURRENT");
        promote.move_to_version_id(TOKEN).remove_from_version_id(from).send()
    };
    let (code, _) = refused(promote(&second).await);
    assert_eq!(code, "InvalidParameterException");
    promote(&first).await.unwrap();
    assert_eq!(
        (labelled(&client, "AWSCURRENT").await, labelled(&client, "AWSPREVIOUS").await),
        ("two".into(), "one".into())
    );
    let (code, _) = refused(promote(&first).await);
    assert_eq!(code, "InvalidParameterException");
}

#[tokio::test]
async fn secrets_are_listed_by_the_beginning_of_their_name() {
    let (secrets, client) = start().await;
    for number in 0..250 {
        secrets.put(format!("lendswift/a{number}"), "{}");
    }
    secrets.put("other/a", "{}");
    client.delete_secret().secret_id("lendswift/a7").send().await.unwrap();
    let listed = async |deleted: bool| {
        let filter = Filter::builder().key(FilterNameStringType::Name).values("lendswift/").build();
        let list = client.list_secrets().filters(filter).include_planned_deletion(deleted);
        let pages: Result<Vec<_>, _> = list.into_paginator().send().collect().await;
        let secrets = pages.unwrap().into_iter().flat_map(|page| page.secret_list.unwrap());
        secrets.map(|secret| secret.name.unwrap()).collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> =
        (0..250).map(|number| format!("lendswift/a{number}")).chain(["lendswift/acme".to_owned()]).collect();
    assert_eq!(listed(true).await, all);
    assert_eq!(&all - &listed(false).await, BTreeSet::from(["lendswift/a7".to_owned()]));
}

#[tokio::test]
async fn a_lost_answer_does_not_show_whether_the_secret_was_created() {
    let (secrets, client) = start().await;
    for (behaviour, expected) in [(WriteBehaviour::Fails, None), (WriteBehaviour::DoneAndFails, Some("a text"))] {
        secrets.behave_in("CreateSecret", behaviour);
        let created = client.create_secret().name(NAME).secret_string("a text").send().await;
        assert_eq!(refused(created), ("GatewayException".to_owned(), "No answer.".to_owned()));
        let read = client.get_secret_value().secret_id(NAME).send().await;
        assert_eq!(read.as_ref().ok().and_then(|secret| secret.secret_string()), expected);
    }
}
