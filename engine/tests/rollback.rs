//! Going back, judged by the objects that a fake provider really has afterwards, and by what the plan says beforehand.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use indexmap::IndexMap;
use plumb_engine::cancel::Cancel;
use plumb_engine::event::Silent;
use plumb_engine::plan::{self, Action, Options, Prior, Purpose};
use plumb_engine::providers::{Factory, Schemas};
use plumb_engine::rollback::{self, Class, RollbackPlan, Way};
use plumb_engine::{execute, plan::Resolution};
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostics, Value};
use plumb_provider_api::{
    Answer, ApplyRequest, ApplyResponse, ImportTarget, ImportedResource, PlanRequest, PlanResponse, Provider,
    ProviderSchema, RawState, ReadRequest, ReadResponse,
};
use plumb_provider_sdk::fake::{Behaviour, Fake, Operation};
use plumb_semantics::eval::{EvalOptions, Evaluator, Phase};
use plumb_semantics::{LoadOptions, MemoryWorld};
use plumb_state::record::{InstanceKey, OperationKind, OperationStatus, StepAction};
use plumb_state::state::{Edit, Edits, OperationHeader, StepIntent, StepOutcome};
use plumb_state::{InstanceRecord, State};

/// One remote system, one state, and any number of configurations one after the other.
struct House {
    fake: Fake,
    state: State,
    /// The version of the provider's schema; with 1, saved objects of version 0 call `value` `label`.
    version: i64,
}

struct Providers(Arc<dyn Provider>);

#[async_trait]
impl Factory for Providers {
    async fn start(&self, _: &ProviderSource) -> Result<Arc<dyn Provider>, Diagnostics> {
        Ok(self.0.clone())
    }

    async fn schema(&self, _: &ProviderSource) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.0.schema().await
    }
}

/// The same provider in a later version.
struct Later(Arc<dyn Provider>);

#[async_trait]
impl Provider for Later {
    async fn schema(&self) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let mut schema = (*self.0.schema().await?).clone();
        for resource in schema.resources.values_mut() {
            Arc::make_mut(resource).version = 1;
        }
        Ok(Arc::new(schema))
    }
    async fn upgrade(&self, kind: &str, version: i64, state: RawState) -> Answer<Value> {
        let RawState::Json(bytes) = state else { panic!("the test saves JSON") };
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        if version == 0 {
            json["secret"] = "upgraded".into();
        }
        self.0.upgrade(kind, 0, RawState::Json(Bytes::from(json.to_string()))).await
    }
    async fn validate_provider(&self, config: Value) -> Diagnostics {
        self.0.validate_provider(config).await
    }
    async fn configure(&self, config: Value) -> Diagnostics {
        self.0.configure(config).await
    }
    async fn validate_resource(&self, kind: &str, config: Value) -> Diagnostics {
        self.0.validate_resource(kind, config).await
    }
    async fn validate_data(&self, kind: &str, config: Value) -> Diagnostics {
        self.0.validate_data(kind, config).await
    }
    async fn read(&self, request: ReadRequest) -> Answer<ReadResponse> {
        self.0.read(request).await
    }
    async fn plan(&self, request: PlanRequest) -> Answer<PlanResponse> {
        self.0.plan(request).await
    }
    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        self.0.apply(request).await
    }
    async fn import(&self, kind: &str, target: ImportTarget) -> Answer<Vec<ImportedResource>> {
        self.0.import(kind, target).await
    }
    async fn read_data(&self, kind: &str, config: Value, meta: Option<Value>) -> Answer<Value> {
        self.0.read_data(kind, config, meta).await
    }
}

fn header(kind: OperationKind) -> OperationHeader {
    OperationHeader { kind, who: "ann@build-7".into(), reason: None, plan_digest: None }
}

impl House {
    fn new() -> House {
        House { fake: Fake::new(), state: State::memory().unwrap(), version: 0 }
    }

    async fn setting(
        &self,
        config: &str,
    ) -> (Arc<Providers>, Arc<Schemas>, impl Fn(Phase) -> Evaluator + use<>) {
        let world = Arc::new(MemoryWorld::new([("main.cfg", config)]));
        let loaded = plumb_semantics::load(&*world, Path::new("."), &LoadOptions::default());
        assert!(!loaded.diagnostics.has_errors(), "{:?}", loaded.diagnostics);
        let provider = match self.version {
            0 => self.fake.provider(),
            _ => Arc::new(Later(self.fake.provider())),
        };
        let factory = Arc::new(Providers(provider));
        let (schemas, found) = Schemas::load(&*factory, [ProviderSource::builtin("fake")]).await;
        assert!(found.is_empty(), "{found:?}");
        let (schemas, program) = (Arc::new(schemas), loaded.program);
        let known = schemas.clone();
        let evaluator = move |phase| {
            let options = EvalOptions {
                world: world.clone(),
                variables: IndexMap::new(),
                workspace: "default".into(),
                phase,
                schemas: known.clone(),
                provider_functions: None,
                plan_time: None,
                exactly_terraform_1_11: false,
            };
            Evaluator::new(program.clone(), options)
        };
        (factory, schemas, evaluator)
    }

    /// Makes a configuration true; whether it went without errors.
    async fn apply(&self, config: &str) -> bool {
        self.apply_with(config, Purpose::Normal).await
    }

    async fn apply_with(&self, config: &str, purpose: Purpose) -> bool {
        let (factory, schemas, evaluator) = self.setting(config).await;
        let planning = plan::plan(plan::Inputs {
            evaluator: evaluator(Phase::Plan),
            schemas: schemas.clone(),
            factory: factory.clone(),
            prior: Prior::read(&self.state).unwrap(),
            options: Options { purpose, ..Options::default() },
            cancel: Cancel::never(),
            listener: &mut Silent,
        })
        .await;
        assert!(!planning.diagnostics.has_errors(), "{:?}", planning.diagnostics);
        let (_, found) = execute::execute(execute::Inputs {
            plan: Arc::new(planning.plan),
            evaluator: evaluator(Phase::Apply),
            schemas,
            factory,
            state: &self.state,
            header: header(OperationKind::Apply),
            parallelism: 4,
            cancel: Cancel::never(),
            listener: &mut Silent,
        })
        .await;
        !found.has_errors()
    }

    async fn plan_back(&self, config: &str, number: Option<u64>) -> (RollbackPlan, Vec<Resolution>) {
        let (factory, schemas, evaluator) = self.setting(config).await;
        let way = Way::read(&self.state, number).unwrap();
        let inputs = plan::Inputs {
            evaluator: evaluator(Phase::Plan),
            schemas,
            factory,
            prior: Prior::read(&self.state).unwrap(),
            options: Options::default(),
            cancel: Cancel::never(),
            listener: &mut Silent,
        };
        let planning = rollback::plan(inputs, way).await;
        assert!(!planning.diagnostics.has_errors(), "{:?}", planning.diagnostics);
        (planning.plan, planning.resolved)
    }

    async fn go_back(&self, config: &str, back: RollbackPlan) -> Diagnostics {
        let (factory, schemas, evaluator) = self.setting(config).await;
        let inputs = execute::Inputs {
            plan: Arc::new(back.plan.clone()),
            evaluator: evaluator(Phase::Apply),
            schemas,
            factory,
            state: &self.state,
            header: header(OperationKind::Rollback),
            parallelism: 4,
            cancel: Cancel::never(),
            listener: &mut Silent,
        };
        rollback::execute(inputs, Arc::new(back)).await.1
    }

    /// Goes back to the state before an operation, without trouble; gives what the plan said.
    async fn back(&self, number: Option<u64>) -> RollbackPlan {
        let (back, resolved) = self.plan_back("", number).await;
        assert!(resolved.is_empty());
        let found = self.go_back("", back.clone()).await;
        assert!(!found.has_errors(), "{found:?}");
        back
    }

    /// The objects that really exist, as `name=value`.
    fn objects(&self) -> Vec<String> {
        let objects = self.fake.objects();
        let mut all: Vec<String> =
            objects.values().map(|o| format!("{}={}", o.name.text(), text(&o.value))).collect();
        all.sort();
        all
    }

    /// The addresses that state has.
    fn recorded(&self) -> Vec<String> {
        let snapshot = self.state.snapshot().unwrap();
        snapshot.instances.map(|instance| instance.unwrap().record.key().to_string()).collect()
    }

    fn record(&self, address: &str) -> Option<InstanceRecord> {
        self.state.instance(&InstanceKey::current(address)).unwrap()
    }

    fn edit(&self, kind: OperationKind, edit: Edit) {
        let edits = Edits { records: vec![edit], ..Edits::default() };
        self.state.edit(header(kind), edits).unwrap();
    }
}

fn text(value: &plumb_provider_sdk::attribute::Attr<Value>) -> String {
    value.known().and_then(Value::as_str).map(ToString::to_string).unwrap_or_default()
}

fn object(name: &str, value: &str) -> String {
    format!("resource \"fake_object\" \"{name}\" {{\n  name = \"{name}\"\n  value = \"{value}\"\n}}\n")
}

/// The actions of a plan as `address action class`.
fn actions(back: &RollbackPlan) -> Vec<String> {
    let changes = back.plan.changes.iter();
    changes
        .map(|change| {
            let undo = back.undo_of(change).unwrap();
            format!("{} {} {:?}", change.address, change.action.word(), undo.class)
        })
        .collect()
}

#[tokio::test]
async fn an_update_is_taken_back_exactly() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("a", "2")).await;
    let back = house.back(None).await;
    assert_eq!(actions(&back), ["fake_object.a update Exact"]);
    assert_eq!(house.objects(), ["a=1"]);
    let last = house.state.history().next().unwrap().unwrap();
    assert_eq!(
        (last.number, last.kind, last.status),
        (3, OperationKind::Rollback, OperationStatus::Succeeded)
    );
}

#[tokio::test]
async fn what_was_created_is_deleted_and_what_was_deleted_is_made_anew() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("b", "2")).await;
    let back = house.back(None).await;
    assert_eq!(actions(&back), ["fake_object.a create Recreate", "fake_object.b delete Exact"]);
    assert!(back.undo_of(&back.plan.changes[0]).unwrap().reasons[0].contains("`id`"));
    assert_eq!(house.objects(), ["a=1"]);
    assert_eq!(house.recorded(), ["fake_object.a"]);
}

#[tokio::test]
async fn going_back_over_several_operations_skips_what_came_between() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("a", "2")).await;
    house.apply(&(object("a", "3") + &object("b", "x"))).await;
    house.apply(&object("b", "y")).await;
    house.back(Some(2)).await;
    assert_eq!(house.objects(), ["a=1"]);
    assert_eq!(house.recorded(), ["fake_object.a"]);
}

#[tokio::test]
async fn a_rollback_can_be_rolled_back() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&(object("a", "2") + &object("b", "x"))).await;
    house.back(None).await;
    assert_eq!(house.objects(), ["a=1"]);
    house.back(None).await;
    assert_eq!(house.objects(), ["a=2", "b=x"]);
}

#[tokio::test]
async fn a_replacement_is_taken_back_by_another() {
    for first in ["", "lifecycle { create_before_destroy = true }"] {
        let house = House::new();
        let config = |force: &str| {
            format!("resource \"fake_object\" \"a\" {{\n name = \"a\"\n force = \"{force}\"\n {first}\n}}")
        };
        house.apply(&config("1")).await;
        house.apply(&config("2")).await;
        let back = house.back(None).await;
        assert_eq!(actions(&back), ["fake_object.a replace Recreate"], "{first}");
        let objects = house.fake.objects();
        let forces: Vec<&str> = objects.values().map(|o| o.force.text()).collect();
        assert_eq!(forces, ["1"], "{first}");
        assert_eq!(house.recorded(), ["fake_object.a"], "{first}");
    }
}

#[tokio::test]
async fn what_somebody_changed_is_a_conflict_and_stays() {
    let house = House::new();
    house.apply(&(object("a", "1") + &object("b", "1"))).await;
    house.apply(&(object("a", "2") + &object("b", "2") + &object("c", "2"))).await;
    house.fake.alter("a", |o| o.value = Value::string("by hand").into());
    house.fake.alter("c", |o| o.value = Value::string("by hand").into());
    let (back, _) = house.plan_back("", None).await;
    let conflicts: Vec<String> = back.conflicts.iter().map(|c| c.address.to_string()).collect();
    assert_eq!(conflicts, ["fake_object.a", "fake_object.c"]);
    assert_eq!(back.conflicts[0].diagnostic.code, "rollback-conflict");
    assert!(back.conflicts[0].diagnostic.detail.contains("`value`"));
    assert_eq!(actions(&back), ["fake_object.b update Exact"]);
    assert!(!house.go_back("", back).await.has_errors());
    assert_eq!(house.objects(), ["a=by hand", "b=1", "c=by hand"]);
}

#[tokio::test]
async fn what_somebody_changes_after_the_plan_is_not_overwritten_either() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&(object("a", "2") + &object("b", "2"))).await;
    let (back, _) = house.plan_back("", None).await;
    house.fake.alter("a", |o| o.value = Value::string("by hand").into());
    house.fake.alter("b", |o| o.value = Value::string("by hand").into());
    let found = house.go_back("", back).await;
    assert_eq!(found.iter().filter(|d| d.code == "rollback-conflict").count(), 2, "{found:?}");
    assert_eq!(house.objects(), ["a=by hand", "b=by hand"]);
}

#[tokio::test]
async fn drift_that_was_recorded_may_be_overwritten() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("a", "2")).await;
    house.fake.alter("a", |o| o.value = Value::string("by hand").into());
    house.apply_with(&object("a", "2"), Purpose::RefreshOnly).await;
    house.back(Some(2)).await;
    assert_eq!(house.objects(), ["a=1"]);
}

#[tokio::test]
async fn an_object_that_is_as_it_was_already_is_only_recorded() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("a", "2")).await;
    house.fake.alter("a", |o| o.value = Value::string("1").into());
    house.fake.clear_log();
    let back = house.back(None).await;
    assert_eq!(actions(&back), ["fake_object.a no-op Exact"]);
    assert_eq!(house.fake.count(Operation::Update), 0);
    assert!(house.record("fake_object.a").unwrap().attributes.as_str().contains("\"1\""));
}

#[tokio::test]
async fn an_object_that_is_gone_is_made_anew_or_forgotten() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&(object("a", "2") + &object("b", "2"))).await;
    house.fake.lose("a");
    house.fake.lose("b");
    let back = house.back(None).await;
    assert_eq!(actions(&back), ["fake_object.a create Recreate", "fake_object.b forget Exact"]);
    assert_eq!(house.objects(), ["a=1"]);
    assert_eq!(house.recorded(), ["fake_object.a"]);
}

#[tokio::test]
async fn edits_of_state_are_taken_back_without_touching_objects() {
    let house = House::new();
    house.apply(&(object("a", "1") + &object("b", "1") + &object("c", "1"))).await;
    let before: Vec<InstanceRecord> =
        ["a", "b", "c"].iter().map(|n| house.record(&format!("fake_object.{n}")).unwrap()).collect();
    house.edit(OperationKind::StateEdit, Edit::Remove(InstanceKey::current("fake_object.a")));
    let (from, to) = (InstanceKey::current("fake_object.b"), InstanceKey::current("fake_object.moved"));
    house.edit(OperationKind::StateEdit, Edit::Move { from, to });
    let taken_in = InstanceRecord { address: "fake_object.d".into(), ..before[2].clone() };
    house.edit(OperationKind::Import, Edit::Put(Box::new(taken_in)));
    house.fake.clear_log();
    let back = house.back(Some(2)).await;
    assert_eq!(
        actions(&back),
        ["fake_object.a no-op Exact", "fake_object.b no-op Exact", "fake_object.d forget Exact"]
    );
    assert!(
        house.fake.log().iter().all(|call| call.operation == Operation::Configure),
        "{:?}",
        house.fake.log()
    );
    let after: Vec<InstanceRecord> =
        ["a", "b", "c"].iter().map(|n| house.record(&format!("fake_object.{n}")).unwrap()).collect();
    assert_eq!(before, after);
    assert_eq!(house.recorded(), ["fake_object.a", "fake_object.b", "fake_object.c"]);
}

#[tokio::test]
async fn an_object_that_was_changed_and_then_dropped_or_moved_goes_back_as_the_same() {
    let house = House::new();
    house.apply(&(object("a", "1") + &object("b", "1"))).await;
    let ids: Vec<String> = house.fake.objects().into_keys().collect();
    house.apply(&(object("a", "2") + &object("b", "2"))).await;
    house.edit(OperationKind::StateEdit, Edit::Remove(InstanceKey::current("fake_object.a")));
    let (from, to) = (InstanceKey::current("fake_object.b"), InstanceKey::current("fake_object.moved"));
    house.edit(OperationKind::StateEdit, Edit::Move { from, to });
    house.back(Some(2)).await;
    assert_eq!(house.objects(), ["a=1", "b=1"]);
    assert_eq!(house.fake.objects().into_keys().collect::<Vec<_>>(), ids);
    assert_eq!(house.recorded(), ["fake_object.a", "fake_object.b"]);
}

#[tokio::test]
async fn an_object_that_was_created_and_then_dropped_stays_and_is_named() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.edit(OperationKind::StateEdit, Edit::Remove(InstanceKey::current("fake_object.a")));
    let (back, _) = house.plan_back("", Some(1)).await;
    assert!(!back.has_changes());
    assert_eq!(back.left[0].address, "fake_object.a");
    assert_eq!(house.objects(), ["a=1"]);
}

#[tokio::test]
async fn a_place_that_another_object_has_taken_is_left_alone() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    let (from, to) = (InstanceKey::current("fake_object.a"), InstanceKey::current("fake_object.b"));
    house.edit(OperationKind::StateEdit, Edit::Move { from, to });
    house
        .apply(&(object("a", "new") + "resource \"fake_object\" \"b\" {\n name = \"a\"\n value = \"1\"\n}"))
        .await;
    let (back, _) = house.plan_back("", Some(2)).await;
    assert_eq!(actions(&back), [""; 0]);
    assert!(!back.is_whole());
    house.back(Some(3)).await;
    house.back(Some(2)).await;
    assert_eq!(house.objects(), ["a=1"]);
    assert_eq!(house.recorded(), ["fake_object.a"]);
}

#[tokio::test]
async fn a_failed_operation_is_taken_back_as_far_as_it_came() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.fake.on(Operation::Create, "bad", Behaviour::Fail("quota".into()));
    assert!(!house.apply(&(object("a", "2") + &object("good", "x") + &object("bad", "x"))).await);
    house.fake.behave();
    let back = house.back(None).await;
    assert_eq!(actions(&back), ["fake_object.a update Exact", "fake_object.good delete Exact"]);
    assert_eq!(house.objects(), ["a=1"]);
}

#[tokio::test]
async fn an_update_that_failed_without_saying_how_far_it_came_is_looked_at() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.fake.on(Operation::Update, "a", Behaviour::FailUnsure("connection lost".into()));
    assert!(!house.apply(&object("a", "2")).await);
    house.fake.behave();
    let (back, resolved) = house.plan_back("", None).await;
    assert_eq!(house.objects(), ["a=2"]);
    assert!(!back.has_changes(), "nothing is taken back before it is known: {back:?}");
    let [resolution] = &resolved[..] else { panic!("{resolved:?}") };
    let record = resolution.found.clone().unwrap();
    house.state.resolve([(resolution.step.step(), StepOutcome::done(record))]).unwrap();
    house.back(None).await;
    assert_eq!(house.objects(), ["a=1"]);
}

#[tokio::test]
async fn an_interrupted_step_is_resolved_before_anything_is_planned() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    {
        let writer = house.state.begin(header(OperationKind::Apply)).unwrap();
        let intent = StepIntent {
            key: InstanceKey::current("fake_object.a"),
            action: StepAction::Update,
            before: house.record("fake_object.a"),
            planned: None,
            also: Vec::new(),
        };
        writer.intend(intent).1.wait().unwrap();
    }
    house.fake.alter("a", |o| o.value = Value::string("2").into());
    let (back, resolved) = house.plan_back("", None).await;
    assert!(!back.has_changes());
    let [resolution] = &resolved[..] else { panic!("{resolved:?}") };
    let record = resolution.found.clone().unwrap();
    house.state.resolve([(resolution.step.step(), StepOutcome::done(record))]).unwrap();
    let back = house.back(None).await;
    assert_eq!(actions(&back), ["fake_object.a update Exact"]);
    assert_eq!(house.objects(), ["a=1"]);
}

#[tokio::test]
async fn a_before_image_of_an_older_schema_is_upgraded() {
    let mut house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("a", "2")).await;
    house.version = 1;
    house.apply_with(&object("a", "2"), Purpose::RefreshOnly).await;
    house.fake.alter("a", |o| o.secret = "upgraded".into());
    house.apply_with(&object("a", "2"), Purpose::RefreshOnly).await;
    house.back(Some(2)).await;
    assert_eq!(house.objects(), ["a=1"]);
    let record = house.record("fake_object.a").unwrap();
    assert_eq!(record.schema_version, 1);
    assert!(record.attributes.as_str().contains("upgraded"));
}

#[tokio::test]
async fn outputs_go_back() {
    let house = House::new();
    house.apply(&(object("a", "1") + "output \"v\" { value = fake_object.a.value }")).await;
    let before = house.state.outputs().unwrap();
    house.apply(&(object("a", "2") + "output \"w\" { value = 7 }")).await;
    let back = house.back(None).await;
    let outputs: BTreeMap<String, Action> =
        back.plan.outputs.iter().map(|(name, o)| (name.to_string(), o.action())).collect();
    assert_eq!(outputs, [("v".into(), Action::Create), ("w".into(), Action::Delete)].into());
    assert_eq!(house.state.outputs().unwrap(), before);
}

#[tokio::test]
async fn steps_keep_the_recorded_order() {
    let house = House::new();
    let chain = "resource \"fake_object\" \"a\" { name = \"a\" }\n\
        resource \"fake_object\" \"b\" {\n name = \"b\"\n value = fake_object.a.id\n}\n\
        resource \"fake_object\" \"c\" {\n name = \"c\"\n value = fake_object.b.id\n}";
    house.apply(chain).await;
    let order = |operation| -> Vec<String> {
        let log = house.fake.log();
        log.iter().filter(|c| c.operation == operation).map(|c| c.name.to_string()).collect()
    };
    house.fake.clear_log();
    house.back(None).await;
    assert_eq!(order(Operation::Delete), ["c", "b", "a"]);
    house.fake.clear_log();
    house.back(None).await;
    assert_eq!(order(Operation::Create), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_depends_on_a_failed_step_is_skipped_and_outputs_stay() {
    let house = House::new();
    let config = "resource \"fake_object\" \"a\" { name = \"a\" }\n\
        resource \"fake_object\" \"b\" {\n name = \"b\"\n value = fake_object.a.name\n}\noutput \"o\" { value = 1 }";
    house.apply(config).await;
    house.apply("").await;
    house.fake.on(Operation::Create, "a", Behaviour::Fail("quota".into()));
    let (back, _) = house.plan_back("", None).await;
    assert!(house.go_back("", back).await.has_errors());
    assert_eq!(house.objects(), [""; 0]);
    assert!(house.state.outputs().unwrap().is_empty());
    house.fake.behave();
    house.back(Some(2)).await;
    assert_eq!(house.fake.names(), ["a", "b"]);
}

#[tokio::test]
async fn prevent_destroy_holds() {
    let house = House::new();
    let config = "resource \"fake_object\" \"a\" {\n name = \"a\"\n lifecycle { prevent_destroy = true }\n}";
    house.apply(config).await;
    let (back, _) = house.plan_back(config, None).await;
    assert_eq!(back.conflicts[0].diagnostic.code, "destroy-prevented");
    assert!(!back.has_changes());
}

#[tokio::test]
async fn planning_the_way_back_changes_nothing() {
    let house = House::new();
    house.apply(&object("a", "1")).await;
    house.apply(&object("b", "2")).await;
    let (digest, objects) = (house.state.digest(), house.objects());
    house.plan_back("", Some(1)).await;
    assert_eq!((house.state.digest(), house.objects()), (digest, objects));
    assert!(Way::read(&house.state, Some(9)).is_err());
    assert_eq!(Class::Exact.min(Class::None), Class::Exact);
}
