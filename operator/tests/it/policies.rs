//! `lendswift account policy …`, with a relay that reads what the command writes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{ACCOUNT, KEY, Lead, SANDBOX, SecretsBehaviour, TOKEN};

use crate::operator::{Operator, Ran, assert_secret};

pub const SET: &[&str] = &["account", "policy", "set", ACCOUNT];
const SHOW: &[&str] = &["account", "policy", "show", ACCOUNT];
const HASH_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// Open at every time, whenever the test runs.
const ALWAYS: &str = "mon-sun=00:00-24:00";

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

impl Operator {
    /// Stores the account's secret with these members in addition.
    fn put(&self, members: &Value) {
        self.app.secrets.put(format!("lendswift/{ACCOUNT}"), support::secret_with(members));
    }

    /// Runs `account policy set` with these options.
    async fn set(&self, options: &[&str]) -> Ran {
        self.run(&[SET, options].concat()).await
    }

    /// The document of `account policy set` with these options.
    async fn set_json(&self, options: &[&str]) -> Value {
        self.json(&[SET, options].concat()).await
    }
}

#[tokio::test]
async fn calling_hours_are_set_changed_and_removed_and_notes_are_kept() {
    let operator = Operator::start().await;
    operator.put(&json!({"note": 12, "api_key_sha256": digest(KEY)}));
    let set = operator.set_json(&["--calling-hours", "mon-fri=09:00-20:00, sat=10:00-18:00"]).await;
    let windows = json!({"calling_hours": {"mon-fri": "09:00-20:00", "sat": "10:00-18:00"}});
    assert_eq!(
        set,
        json!({
            "result": "set", "account": ACCOUNT, "was": null, "was_fault": null, "policy": windows,
            "hash_key": "not_needed",
        })
    );
    let secret =
        |policy: &Value| json!({"lendswift_token": TOKEN, "api_key_sha256": digest(KEY), "note": 12, "policy": policy});
    assert_eq!(operator.secret(ACCOUNT).await, secret(&windows));

    // More hours than before.
    let ran = operator.set(&["--calling-hours", "federal"]).await;
    for named in ["--yes", "(federal)", "Leads that are refused now can then be sent"] {
        assert!(ran.code == 2 && ran.stderr.contains(named), "{named}: {ran:?}");
    }
    assert_eq!(operator.secret(ACCOUNT).await, secret(&windows));
    let federal = operator.set_json(&["--calling-hours", "federal", "--yes"]).await;
    assert_eq!((&federal["was"], &federal["policy"]), (&windows, &json!({"calling_hours": "federal"})));
    // Fewer hours need no confirmation.
    operator.set_json(&["--calling-hours", "mon-fri=09:00-20:00"]).await;
    let removed = operator.set_json(&["--calling-hours", "off", "--yes"]).await;
    assert_eq!(removed["policy"], json!(null));
    assert_eq!(
        operator.secret(ACCOUNT).await,
        json!({"lendswift_token": TOKEN, "api_key_sha256": digest(KEY), "note": 12})
    );
}

#[tokio::test]
async fn the_relay_follows_the_policy_that_was_set() {
    let operator = Operator::start().await;
    let set = operator.set_json(&["--calling-hours", ALWAYS, "--once-per-phone-hours", "24"]).await;
    assert_eq!(set["hash_key"], json!("created"));
    let key = operator.secret(ACCOUNT).await["hash_key"].as_str().unwrap().to_owned();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert!(!set.to_string().contains(&key));
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(1)).await, "200 accepted");
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(2)).await, "409 not_sent recently_called");
    // Off, and on again: the number is still known.
    operator.set_json(&["--once-per-phone-hours", "off", "--yes"]).await;
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(3)).await, "200 accepted");
    let again = operator.set_json(&["--once-per-phone-hours", "48"]).await;
    assert_eq!((&again["hash_key"], &operator.secret(ACCOUNT).await["hash_key"]), (&json!("kept"), &json!(key)));
    assert_eq!(operator.post(ACCOUNT, KEY, Lead(2)).await, "409 not_sent recently_called");
    // A sandbox has a policy as well.
    let sandbox = operator.json(&["account", "policy", "set", SANDBOX, "--once-per-phone-hours", "1"]).await;
    assert_eq!(sandbox["result"], json!("set"));
}

#[tokio::test]
async fn a_valid_hash_key_is_kept_and_no_output_has_it() {
    let operator = Operator::start().await;
    operator.put(&json!({"hash_key": HASH_KEY, "policy": {"once_per_phone_hours": 24}}));
    let name = [ACCOUNT];
    let commands: [&[&str]; 12] = [
        &[SHOW, &[]].concat(),
        &[SET, &["--once-per-phone-hours", "24"]].concat(),
        &[SET, &["--once-per-phone-hours", "36", "--dry-run"]].concat(),
        &[SET, &["--once-per-phone-hours", "36"]].concat(),
        &[SET, &["--calling-hours", "federal"]].concat(),
        &[SET, &["--calling-hours", "nine to five"]].concat(),
        &[&["account", "show"], &name[..]].concat(),
        &[&["account", "check"], &name[..]].concat(),
        &[&["account", "rotate-key"], &name[..]].concat(),
        &[&["account", "revoke-key"], &name[..], &["malformed", "--yes"]].concat(),
        &["account", "list"],
        &["check"],
    ];
    for command in commands {
        for json in [&[][..], &["--json"]] {
            let ran = operator.run(&[command, json].concat()).await;
            assert_secret(&ran, &[TOKEN, HASH_KEY]);
        }
        assert_eq!(operator.secret(ACCOUNT).await["hash_key"], json!(HASH_KEY), "{command:?}");
    }
    let ran = operator.run_with(&["account", "set-token", ACCOUNT], "another").await;
    assert_secret(&ran, &[TOKEN, HASH_KEY, "another"]);
    let policy = json!({"calling_hours": "federal", "once_per_phone_hours": 36});
    let secret = operator.secret(ACCOUNT).await;
    assert_eq!((&secret["policy"], &secret["hash_key"]), (&policy, &json!(HASH_KEY)));
}

#[tokio::test]
async fn another_hash_key_is_drawn_only_on_request() {
    let operator = Operator::start().await;
    for malformed in [json!(HASH_KEY[1..]), json!(null), json!(7)] {
        let before = json!({"hash_key": malformed});
        operator.put(&before);
        let ran = operator.set(&["--once-per-phone-hours", "24"]).await;
        assert_eq!((ran.code, ran.stderr.contains("is not 64 hex digits")), (1, true), "{ran:?}");
        assert_secret(&ran, &[&HASH_KEY[1..]]);
        assert_eq!(operator.secret(ACCOUNT).await["hash_key"], malformed);
        // Nothing needs it.
        operator.set_json(&["--calling-hours", "federal"]).await;
        assert_eq!(operator.secret(ACCOUNT).await["hash_key"], malformed);
    }
    operator.put(&json!({"hash_key": HASH_KEY, "policy": {"once_per_phone_hours": 24}}));
    let ran = operator.set(&["--new-hash-key"]).await;
    assert_eq!((ran.code, ran.stderr.contains("--yes")), (2, true), "{ran:?}");
    let replaced = operator.set_json(&["--new-hash-key", "--yes"]).await;
    assert_eq!((&replaced["result"], &replaced["hash_key"]), (&json!("set"), &json!("replaced")));
    let secret = operator.secret(ACCOUNT).await;
    assert_ne!(secret["hash_key"], json!(HASH_KEY));
    assert_secret(&operator.run(SHOW).await, &[secret["hash_key"].as_str().unwrap()]);
    let unused = operator.set(&["--once-per-phone-hours", "off", "--new-hash-key", "--yes"]).await;
    assert_eq!((unused.code, unused.stderr.contains("would not use a hash_key")), (1, true), "{unused:?}");
}

#[tokio::test]
async fn a_malformed_policy_is_shown_by_its_member_and_replaced_only_as_a_whole() {
    let operator = Operator::start().await;
    let both = ["--calling-hours", "federal", "--once-per-phone-hours", "off"];
    for (policy, member) in [
        (json!("swordfish"), "policy is not an object"),
        (json!({"calling_hours": "swordfish"}), "policy.calling_hours is neither"),
        (json!({"calling_hours": {"mon": "swordfish"}}), "policy.calling_hours has a value for mon"),
        (json!({"once_per_phone_hours": "swordfish"}), "policy.once_per_phone_hours is not a whole number"),
        (json!({"calling_hours": "federal", "swordfish": 1}), "policy has a member other than"),
    ] {
        operator.put(&json!({"policy": policy, "note": 1}));
        let before = operator.secret(ACCOUNT).await;
        for command in [SHOW, &["account", "show", ACCOUNT], &["account", "check", ACCOUNT]] {
            let ran = operator.run(command).await;
            assert_eq!(ran.code, i32::from(command[1] == "check"), "{ran:?}");
            assert!(ran.stdout.contains(member) || ran.stderr.contains(member), "{member}: {ran:?}");
            assert_secret(&ran, &["swordfish"]);
        }
        let shown = operator.json(SHOW).await;
        assert_eq!((&shown["policy"], &shown["meaning"]), (&json!(null), &json!(null)));
        for one in [&both[..2], &both[2..]] {
            let ran = operator.set(&[one, &["--yes"]].concat()).await;
            assert_eq!((ran.code, ran.stderr.contains("only as a whole")), (1, true), "{ran:?}");
            assert!(ran.stderr.contains(member), "{ran:?}");
            assert_secret(&ran, &["swordfish"]);
        }
        assert_eq!(operator.set(&both).await.code, 2, "asks first");
        assert_eq!(operator.secret(ACCOUNT).await, before);
        let set = operator.set(&[&both[..], &["--yes", "--json"]].concat()).await;
        assert_eq!((set.code, set.json()["was_fault"].as_str().unwrap().contains(member)), (0, true), "{set:?}");
        assert_secret(&set, &["swordfish"]);
        let after = operator.secret(ACCOUNT).await;
        assert_eq!((&after["policy"], &after["note"]), (&json!({"calling_hours": "federal"}), &json!(1)));
    }
}

#[tokio::test]
async fn a_missing_or_malformed_hash_key_is_a_fault_of_the_account() {
    let operator = Operator::start().await;
    for (members, fault) in [
        (json!({"policy": {"once_per_phone_hours": 24}}), "policy.once_per_phone_hours needs hash_key"),
        (json!({"policy": {"once_per_phone_hours": 24}, "hash_key": "hunter2"}), "hash_key is not 64 hex digits"),
    ] {
        operator.put(&members);
        let ran = operator.run(&["account", "check", ACCOUNT]).await;
        assert_eq!((ran.code, ran.stderr.contains(fault)), (1, true), "{ran:?}");
        let shown = operator.json(SHOW).await;
        assert!(shown["fault"].as_str().unwrap().contains(fault), "{shown}");
        assert_eq!(shown["policy"], members["policy"]);
        // Numbers may be recorded under the key that was there, so it is not replaced silently.
        for change in [&["--once-per-phone-hours", "24"][..], &["--calling-hours", "federal", "--yes"]] {
            let ran = operator.run(&[SET, change].concat()).await;
            assert_eq!((ran.code, ran.stderr.contains("Restore the hash_key that was there")), (1, true), "{ran:?}");
        }
        let unsure = operator.run(&[SET, &["--new-hash-key"]].concat()).await;
        assert_eq!((unsure.code, unsure.stderr.contains("can then be called again")), (2, true), "{unsure:?}");
        operator.set_json(&["--once-per-phone-hours", "24", "--new-hash-key", "--yes"]).await;
        assert_eq!(operator.run(&["account", "check", ACCOUNT]).await.code, 0);
    }
}

#[tokio::test]
async fn bad_input_is_a_usage_error_that_names_the_place() {
    let operator = Operator::start().await;
    for (option, value, place) in [
        ("--calling-hours", "", "part 1 is not DAYS=HOURS"),
        ("--calling-hours", "Federal", "part 1 is not DAYS=HOURS"),
        ("--calling-hours", "mon-fri=09:00-20:00,", "part 2 is not DAYS=HOURS"),
        ("--calling-hours", "mon=09:00-20:00,mo=09:00-20:00", "part 2: policy.calling_hours has a name"),
        ("--calling-hours", "sat-mon=09:00-20:00", "part 1: policy.calling_hours has a name"),
        ("--calling-hours", "mon-fri=9-17", "has a value for mon that is not a window"),
        ("--calling-hours", "mon=09:00-20:00,sat=20:00-09:00", "part 2: policy.calling_hours has a value for sat"),
        ("--calling-hours", "mon=09:00-20:00,mon=09:00-21:00", "gives mon twice"),
        ("--calling-hours", "mon-sun=09:00-20:00,sat=09:00-21:00", "gives sat twice"),
        ("--calling-hours", "mon=09:00-12:00", "from New York to Los Angeles"),
        ("--calling-hours", "mon=09:00-20:00\",\"x\":\"", "has a value for mon"),
        ("--once-per-phone-hours", "", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "0", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "-1", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "721", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "24h", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "24.0", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "\"24\"", "is not a whole number from 1 to 720"),
        ("--once-per-phone-hours", "24,\"calling_hours\":\"federal\"", "is not a whole number from 1 to 720"),
    ] {
        let ran = operator.set(&[option, value]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        for named in [option, place, "Accepted are"] {
            assert!(ran.stderr.contains(named), "{value}: {named}: {ran:?}");
        }
    }
    let nothing = operator.set(&[]).await;
    assert_eq!((nothing.code, nothing.stderr.contains("--calling-hours")), (2, true), "{nothing:?}");
    assert_eq!(operator.app.secrets.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_with_several_faults_is_repaired_one_after_the_other() {
    let operator = Operator::start().await;
    operator.put(&json!({
        "lendswift_token": "", "api_key_sha256": ["hunter2", digest(KEY)], "policy": {"calling_hour": "federal"},
    }));
    operator.json(&["account", "revoke-key", ACCOUNT, "malformed", "--yes"]).await;
    operator.json_with(&["account", "set-token", ACCOUNT], TOKEN).await;
    assert_eq!(operator.run(&["account", "check", ACCOUNT]).await.code, 1);
    operator.set_json(&["--calling-hours", ALWAYS, "--once-per-phone-hours", "off", "--yes"]).await;
    assert_eq!(operator.run(&["account", "check", ACCOUNT]).await.code, 0);
    // A leaked API key is removed whatever the policy is.
    operator.put(&json!({"api_key_sha256": [digest("other"), digest(KEY)], "policy": null}));
    operator.json(&["account", "revoke-key", ACCOUNT, &digest("other"), "--yes"]).await;
}

#[tokio::test]
async fn a_policy_that_is_set_already_is_not_written_again() {
    let operator = Operator::start().await;
    let policy = json!({"calling_hours": {"mon-fri": "08:00-21:00", "sat-sun": "08:00-21:00"}});
    operator.put(&json!({"policy": policy}));
    let version = operator.version(ACCOUNT).await;
    let set = operator.set_json(&["--calling-hours", "federal", "--once-per-phone-hours", "off"]).await;
    assert_eq!(set["result"], json!("already_set"));
    assert_eq!(operator.version(ACCOUNT).await, version);
    assert_eq!(operator.secret(ACCOUNT).await["policy"], policy);
    // An empty policy is removed.
    operator.put(&json!({"policy": {}}));
    operator.set_json(&["--calling-hours", "off", "--once-per-phone-hours", "off"]).await;
    assert_eq!(operator.secret(ACCOUNT).await.get("policy"), None);
}

#[tokio::test]
async fn a_dry_run_writes_no_policy_and_asks_nothing() {
    let operator = Operator::start().await;
    operator.put(&json!({"hash_key": HASH_KEY, "policy": {"calling_hours": "federal", "once_per_phone_hours": 24}}));
    let before = operator.secret(ACCOUNT).await;
    for options in [
        &["--calling-hours", "mon-fri=09:00-20:00"][..],
        &["--calling-hours", "off", "--once-per-phone-hours", "off"],
        &["--new-hash-key"],
    ] {
        let would = operator.set_json(&[options, &["--dry-run"]].concat()).await;
        assert_eq!((&would["result"], &would["was"]), (&json!("would_be_set"), &before["policy"]));
        assert_eq!(operator.secret(ACCOUNT).await, before);
    }
}

#[tokio::test]
async fn a_rule_that_needs_the_ledger_is_refused_without_one() {
    let operator = Operator::start().await;
    let once = [SET, &["--once-per-phone-hours", "24", "--table", "off"]].concat();
    let ran = operator.run(&once).await;
    assert_eq!((ran.code, ran.stderr.contains("needs the ledger")), (1, true), "{ran:?}");
    assert_eq!(operator.secret(ACCOUNT).await.get("policy"), None);
    operator.json(&once[..once.len() - 2]).await;
    let hours = operator.set(&["--calling-hours", "federal", "--table", "off"]).await;
    assert_eq!(hours.code, 1, "{hours:?}");
    let check = ["account", "check", ACCOUNT];
    assert_eq!(operator.json(&check).await["has_ledger"], json!(null), "no stack is read");
    let hint = operator.run(&check).await;
    assert!(hint.code == 0 && hint.stderr.contains("Not checked"), "{hint:?}");
    let without = operator.run(&[&check[..], &["--table", "off"]].concat()).await;
    assert_eq!((without.code, without.stderr.contains("needs the ledger")), (1, true), "{without:?}");
    operator.json(&[SET, &["--once-per-phone-hours", "off", "--yes", "--table", "off"]].concat()).await;
    assert_eq!(operator.run(&[&check[..], &["--table", "off"]].concat()).await.code, 0);
}

#[tokio::test]
async fn a_policy_is_shown_in_words_and_as_json() {
    let operator = Operator::start().await;
    let none = operator.run(SHOW).await;
    assert_eq!((none.code, none.stdout.contains("meaning          none")), (0, true), "{none:?}");
    let policy = json!({"calling_hours": {"mon-fri": "09:00-20:00"}, "once_per_phone_hours": 24});
    operator.put(&json!({"hash_key": HASH_KEY, "policy": policy}));
    let words = "calling hours mon-fri 09:00-20:00; at most one lead per phone number in 24 hours";
    let shown = operator.json(SHOW).await;
    assert_eq!(
        shown,
        json!({"account": ACCOUNT, "policy": policy, "meaning": words, "fault": null, "hash_key": "valid"})
    );
    for command in [SHOW, &["account", "show", ACCOUNT], &["account", "check", ACCOUNT], &["check"]] {
        let ran = operator.run(command).await;
        let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{ran:?}");
    }
    for command in ["show", "check"] {
        assert_eq!(operator.json(&["account", command, ACCOUNT]).await["policy"], policy);
    }
    let members = operator.json(&["account", "show", ACCOUNT]).await["ignored_members"].clone();
    assert_eq!(members, json!([]), "the relay reads them");
}

#[tokio::test]
async fn no_policy_is_set_for_an_account_that_is_closed_or_unreadable() {
    let operator = Operator::start().await;
    let federal = ["--calling-hours", "federal"];
    let hunter = json!({"lendswift_token": TOKEN, "api_key_sha256": [digest(KEY), "hunter2"]});
    operator.app.secrets.put(format!("lendswift/{ACCOUNT}"), hunter.to_string());
    assert_eq!(operator.set(&federal).await.code, 1);
    operator.json(&["account", "revoke-key", ACCOUNT, "malformed", "--yes"]).await;
    operator.json(&["account", "close", ACCOUNT, "--yes"]).await;
    for command in [&[SET, &federal].concat()[..], SHOW] {
        let ran = operator.run(command).await;
        assert_eq!((ran.code, ran.stderr.contains("account restore")), (1, true), "{ran:?}");
    }
    let nobody = operator.run(&["account", "policy", "set", "nobody", "--calling-hours", "federal"]).await;
    assert_eq!((nobody.code, nobody.stderr.contains("no account nobody")), (1, true), "{nobody:?}");
}

#[tokio::test]
async fn a_policy_that_changed_at_the_same_time_is_not_overwritten() {
    let operator = Operator::start().await;
    // The command reads the secret, and gets the answer late.
    let wait = std::time::Duration::from_secs(1);
    operator.app.secrets.behave_next([SecretsBehaviour::Slow(wait)]);
    let command = operator.command(&[SET, &["--calling-hours", "federal"]].concat());
    let run = tokio::spawn(crate::operator::run(command, ""));
    while operator.app.secrets.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let policy = json!({"calling_hours": {"mon-sun": "09:00-20:00"}});
    operator.put(&json!({"policy": policy}));
    let ran = run.await.unwrap();
    assert_eq!((ran.code, ran.stderr.contains("at the same time")), (1, true), "{ran:?}");
    assert_eq!(operator.secret(ACCOUNT).await["policy"], policy);
}
