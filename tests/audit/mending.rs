//! What a plan does to damaged machines: it mends what it can, says what blocks the rest, and touches nothing
//! else.

use std::collections::BTreeSet;

use kubepki::{Expected, FindingId, Plan, Policy, Severity, Store};

use super::damages::{Damage, Mend, damages};
use super::machine::{KNOWLEDGE, Knowledge, Machine};

type Said = BTreeSet<(FindingId, Severity, String)>;

/// Plans, applies and commits.
fn mend(machine: &Machine, knowledge: Knowledge) -> Result<Plan, String> {
    let store = Store::open(machine.layout()).unwrap();
    let mut pki = store.load().unwrap();
    let expected = match knowledge {
        Knowledge::Described => machine.described(),
        Knowledge::Inferred => Expected::inferred(&pki),
    };
    let plan = pki.plan(&expected, &Policy::default(), machine.now);
    plan.clone().apply(&mut pki).map_err(|error| format!("{error}\nthe plan:\n{plan}"))?;
    store.commit(&mut pki).map_err(|error| format!("{error}\nthe plan:\n{plan}"))?;
    Ok(plan)
}

/// What is not as it should be with a plan that knows the description.
fn described(damage: &Damage) -> Result<(), String> {
    let machine = damage.machine();
    let before = machine.files();
    let plan = mend(&machine, Knowledge::Described)?;
    let left = machine.said(Knowledge::Described);
    let blocked: Vec<_> = plan.blocked().filter_map(|it| it.finding()).collect();
    let fail = |what: &str| Err(format!("{what}\nthe plan:\n{plan}left: {left:?}"));
    match damage.mend {
        Mend::Plan if !left.is_empty() => return fail("not mended"),
        Mend::Plan if !blocked.is_empty() => return fail("mended, and blocked"),
        Mend::Plan => {}
        Mend::Files(_) | Mend::Clock if !blocked.contains(&damage.described[0].0) => {
            return fail("not blocked");
        }
        Mend::Files(_) | Mend::Clock => {}
        Mend::Nothing if !plan.is_empty() || !blocked.is_empty() => return fail("there was nothing to do"),
        Mend::Nothing => {}
    }
    let written: BTreeSet<_> =
        plan.steps().iter().flat_map(|step| step.files()).map(|file| file.display().to_string()).collect();
    let after = machine.files();
    let changed =
        before.iter().filter(|it| !after.contains(it)).chain(after.iter().filter(|it| !before.contains(it)));
    let changed: BTreeSet<_> = changed.map(|(name, ..)| name.clone()).collect();
    if changed != written {
        return fail(&format!("changed {changed:?}, said {written:?}"));
    }
    let again = mend(&machine, Knowledge::Described)?;
    if !again.is_empty() || machine.files() != after {
        return fail(&format!("the second plan:\n{again}"));
    }
    Ok(())
}

/// What is not as it should be with a plan that knows the files alone.
fn inferred(damage: &Damage) -> Result<(), String> {
    let machine = damage.machine();
    let all = |machine: &Machine| KNOWLEDGE.map(|knowledge| machine.said(knowledge));
    let before = all(&machine);
    let plan = mend(&machine, Knowledge::Inferred)?;
    let after = all(&machine);
    for (before, after) in before.iter().zip(&after) {
        let worse: Vec<_> = after.difference(before).collect();
        if !worse.is_empty() {
            return Err(format!("made worse: {worse:?}\nthe plan:\n{plan}"));
        }
    }
    let [_, left] = after;
    let blocked: Said = plan
        .blocked()
        .filter_map(|it| Some((it.finding()?, it.severity(), it.file().display().to_string())))
        .collect();
    let unsaid: Vec<_> =
        left.difference(&blocked).filter(|(_, severity, _)| *severity > Severity::Note).collect();
    if unsaid.is_empty() { Ok(()) } else { Err(format!("left, and not said: {unsaid:?}\nthe plan:\n{plan}")) }
}

fn assert_each(judge: fn(&Damage) -> Result<(), String>) {
    let wrong: Vec<_> = damages()
        .iter()
        .filter_map(|damage| judge(damage).err().map(|why| format!("{}: {why}", damage.name)))
        .collect();
    assert!(wrong.is_empty(), "{} are wrong:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn a_plan_mends_each_damage_or_says_what_blocks_it_and_a_second_one_changes_nothing() {
    assert_each(described);
}

#[test]
fn a_plan_from_the_files_alone_makes_nothing_worse_and_says_what_it_leaves() {
    assert_each(inferred);
}
