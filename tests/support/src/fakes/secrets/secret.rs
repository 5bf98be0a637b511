//! One secret and its versions.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fault::Fault;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:";
/// A hyphen and six random characters, which AWS adds to the name.
const ARN_SUFFIX: usize = 7;

/// The content of a version.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    /// In base64, as on the wire.
    Binary(String),
}

/// A version is never changed; only its labels move.
struct Version {
    id: String,
    content: Content,
    created: f64,
    labels: BTreeSet<String>,
}

/// A secret. Times are Unix seconds.
pub(super) struct Secret {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    /// When AWS deletes it for good, if it is marked for deletion.
    pub(super) deletion: Option<f64>,
    created: f64,
    changed: f64,
    versions: Vec<Version>,
}

impl Secret {
    /// A secret without a version.
    pub(super) fn new(name: &str, now: f64) -> Self {
        Self {
            name: name.to_owned(),
            arn: random_arn(name),
            description: None,
            kms_key_id: None,
            deletion: None,
            created: now,
            changed: now,
            versions: Vec::new(),
        }
    }

    /// Whether a request means this secret: by its name, by its ARN, or by its ARN without the random characters.
    pub(super) fn is(&self, id: &str) -> bool {
        let partial = self.arn.len().checked_sub(ARN_SUFFIX).and_then(|end| self.arn.get(..end));
        id == self.name || id == self.arn || partial == Some(id)
    }

    pub(super) fn has_version(&self, id: &str) -> bool {
        self.versions.iter().any(|version| version.id == id)
    }

    /// Adds a version whose id is the request's token. The same request again changes nothing.
    pub(super) fn add_version(
        &mut self,
        token: &str,
        content: Content,
        labels: &[String],
        now: f64,
    ) -> Result<(), Fault> {
        if let Some(version) = self.versions.iter().find(|version| version.id == token) {
            return if version.content == content { Ok(()) } else { Err(self.token_in_use(token)) };
        }
        // AWS labels a first version as the current one whatever the request says.
        let current = self.versions.is_empty().then(|| CURRENT.to_owned());
        self.versions.push(Version { id: token.to_owned(), content, created: now, labels: BTreeSet::new() });
        for label in labels.iter().chain(&current) {
            self.attach(label, token);
        }
        self.changed = now;
        Ok(())
    }

    /// Moves a label to a version. The version that was current becomes the previous one.
    fn attach(&mut self, label: &str, id: &str) {
        let holder = self.versions.iter().find(|version| version.labels.contains(label));
        let holder = holder.map(|version| version.id.clone());
        for version in &mut self.versions {
            if version.id == id {
                version.labels.insert(label.to_owned());
            } else {
                version.labels.remove(label);
            }
        }
        if let Some(holder) = holder.filter(|holder| label == CURRENT && holder != id) {
            self.attach(PREVIOUS, &holder);
        }
    }

    /// Moves a label between versions. The request must name the version that has it, if one has.
    pub(super) fn move_label(&mut self, label: &str, to: Option<&str>, from: Option<&str>) -> Result<(), Fault> {
        let holder = self.versions.iter().find(|version| version.labels.contains(label));
        if holder.map(|version| version.id.as_str()) != from {
            let message = format!("The staging label {label} is not at the version that RemoveFromVersionId names.");
            return Err(Fault::bad_request("InvalidParameterException", message));
        }
        let Some(to) = to else {
            self.versions.iter_mut().for_each(|version| _ = version.labels.remove(label));
            return Ok(());
        };
        if !self.has_version(to) {
            let message = "Secrets Manager can't find the specified secret version.";
            return Err(Fault::bad_request("ResourceNotFoundException", message));
        }
        self.attach(label, to);
        Ok(())
    }

    /// The response of GetSecretValue: the current version, unless the request names another one.
    pub(super) fn read(&self, id: Option<&str>, label: Option<&str>) -> Result<Value, Fault> {
        let label = label.or_else(|| id.is_none().then_some(CURRENT));
        let mut versions = self.versions.iter();
        let version = versions.find(|version| {
            id.is_none_or(|id| version.id == id) && label.is_none_or(|label| version.labels.contains(label))
        });
        let version = version.ok_or_else(|| {
            let which = id.map(|id| format!("VersionId: {id}"));
            let which = which.unwrap_or_else(|| format!("staging label: {}", label.unwrap_or_default()));
            Fault::bad_request(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for {which}"),
            )
        })?;
        let (kind, content) = match &version.content {
            Content::Text(text) => ("SecretString", text),
            Content::Binary(base64) => ("SecretBinary", base64),
        };
        Ok(json!({
            "ARN": self.arn,
            "CreatedDate": version.created,
            "Name": self.name,
            kind: content,
            "VersionId": version.id,
            "VersionStages": version.labels,
        }))
    }

    /// The response of CreateSecret.
    pub(super) fn created(&self, token: &str) -> Value {
        let mut response = json!({ "ARN": self.arn, "Name": self.name });
        if self.has_version(token) {
            response["VersionId"] = json!(token);
        }
        response
    }

    /// The response of PutSecretValue.
    pub(super) fn put(&self, token: &str) -> Value {
        let labels = self.versions.iter().find(|version| version.id == token).map(|version| &version.labels);
        json!({ "ARN": self.arn, "Name": self.name, "VersionId": token, "VersionStages": labels })
    }

    /// The response of DescribeSecret, which leaves out versions without a label.
    pub(super) fn describe(&self) -> Value {
        let labelled = self.versions.iter().filter(|version| !version.labels.is_empty());
        let labels: Map<_, _> = labelled.map(|version| (version.id.clone(), json!(version.labels))).collect();
        let mut response = json!({
            "ARN": self.arn,
            "CreatedDate": self.created,
            "LastChangedDate": self.changed,
            "Name": self.name,
            "VersionIdsToStages": labels,
        });
        let optional = [
            ("DeletedDate", self.deletion.map(|time| json!(time))),
            ("Description", self.description.as_ref().map(|text| json!(text))),
            ("KmsKeyId", self.kms_key_id.as_ref().map(|id| json!(id))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                response[name] = value;
            }
        }
        response
    }

    fn token_in_use(&self, token: &str) -> Fault {
        let Self { arn, .. } = self;
        Fault::bad_request(
            "ResourceExistsException",
            format!(
                "You can't use ClientRequestToken {token} because that value is already in use for a version of \
                 secret {arn}."
            ),
        )
    }
}

/// The label of a new version.
pub(super) fn current() -> Vec<String> {
    vec![CURRENT.to_owned()]
}

/// An ARN of this name, which no other secret has.
pub(super) fn random_arn(name: &str) -> String {
    let random = Uuid::new_v4().simple().to_string();
    let random: String = random.chars().take(ARN_SUFFIX - 1).collect();
    format!("{ARN}{name}-{random}")
}
