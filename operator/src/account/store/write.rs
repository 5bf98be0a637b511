//! The writes that change what the relay reads in a secret. After an error whose effect is not known, the secret is
//! read again, and its versions show whether the write was made: a version's id is the write's own token.

use lendswift_relay::account::AccountId;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{CURRENT, Current, Read, Store, call};
use crate::{
    aws::{Denied, call_failed},
    failure::Failure,
};

/// The label of a version that is not the current one yet. Moving `AWSCURRENT` from the version that was read to this
/// one is the only step that changes what the relay reads, and Secrets Manager refuses it if another version is the
/// current one by now.
const PENDING: &str = "lendswift-pending";

/// Whether a secret was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::account) enum Created {
    Created,
    /// There is another secret of this name.
    ExistsAlready,
}

impl Store {
    /// Creates an account's secret. If AWS's answers leave open whether it was created, the failure ends with
    /// `if_unclear`.
    pub(in crate::account) async fn create(
        &self,
        account: &AccountId,
        text: &SecretString,
        kms_key: Option<&str>,
        if_unclear: &str,
    ) -> Result<Created, Failure> {
        let id = self.secret_name(account);
        let version = Uuid::new_v4().to_string();
        let create = self.client.create_secret().name(&id).secret_string(text.expose_secret());
        let create = create.client_request_token(&version).set_kms_key_id(kms_key.map(str::to_owned));
        let Err(error) = create.send().await else { return Ok(Created::Created) };
        let failure = call_failed(call("secretsmanager:CreateSecret", &id), &error);
        if error.is_denied() {
            return Err(failure);
        }
        // The secret may be there all the same: the answer can be lost, also that of an earlier attempt.
        match self.read(account).await {
            Ok(Read::Current(current)) if current.version == version => Ok(Created::Created),
            Ok(Read::Missing) => Err(failure),
            Ok(_) => Ok(Created::ExistsAlready),
            Err(_) => Err(failure.unclear(&format!("The secret {id} may have been created all the same."), if_unclear)),
        }
    }

    /// Replaces the version that was read. `Err` if another version is the current one by now; then nothing is changed.
    /// If AWS's answers leave open whether it was replaced, the failure ends with `if_unclear`.
    pub(in crate::account) async fn replace(
        &self,
        account: &AccountId,
        read: &Current,
        text: &SecretString,
        if_unclear: &str,
    ) -> Result<(), Failure> {
        let id = self.secret_name(account);
        let version = Uuid::new_v4().to_string();
        let put = self.client.put_secret_value().secret_id(&id).secret_string(text.expose_secret());
        let put = put.client_request_token(&version).version_stages(PENDING).send().await;
        // If the version was stored all the same, it is not the current one: the relay does not read it.
        put.map_err(|error| call_failed(call("secretsmanager:PutSecretValue", &id), &error))?;
        let promote = self.client.update_secret_version_stage().secret_id(&id).version_stage(CURRENT);
        let promote = promote.move_to_version_id(&version).remove_from_version_id(&read.version).send().await;
        let Err(error) = promote else { return Ok(()) };
        let failure = call_failed(call("secretsmanager:UpdateSecretVersionStage", &id), &error);
        if error.is_denied() {
            return Err(failure);
        }
        // A repeated request fails although the first one succeeded. The labels show which it was.
        let unclear = || format!("The secret {id} may have been changed all the same.");
        let Ok(described) = self.client.describe_secret().secret_id(&id).send().await else {
            return Err(failure.unclear(&unclear(), if_unclear));
        };
        let labels = described.version_ids_to_stages.unwrap_or_default();
        let has =
            |version: &str, label: &str| labels.get(version).is_some_and(|labels| labels.iter().any(|l| l == label));
        if has(&version, CURRENT) {
            return Ok(());
        }
        if has(&read.version, CURRENT) {
            return Err(failure);
        }
        let message = format!("the secret {id} was changed at the same time by another operator");
        if labels.get(&version).is_some_and(|labels| *labels == [PENDING]) {
            self.discard(&id, &version).await;
            return Err(Failure::refused(message, "Nothing was changed by this command. Run it again."));
        }
        // It lost the label `AWSCURRENT` again.
        Err(Failure::refused(message, "Another version replaced that of this command.").unclear(&unclear(), if_unclear))
    }

    /// Takes the label off a version that will not become the current one, so that AWS can delete it. If that fails,
    /// the next change takes the label.
    async fn discard(&self, id: &str, version: &str) {
        let update = self.client.update_secret_version_stage().secret_id(id).version_stage(PENDING);
        let _ = update.remove_from_version_id(version).send().await;
    }
}
