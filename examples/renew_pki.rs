//! Renews what ends soon in a directory, and mends what a plan can mend.
//!
//! Exit code 0: nothing of severity error is left, and nothing that was asked for or is due, or would be without
//! `--dry-run`; 1: something is; 2: it could not look, or not change anything.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use kubepki::{Layout, Pki, Plan, Policy, Role, Severity, Store, Time};
use lexopt::prelude::*;
use options::{Error, Existing, Names, Options, print, value};

const USAGE: &str = "usage: renew_pki DIR [OPTION]...
  DIR                                 has pki/ and *.conf, such as /etc/kubernetes
  [--dry-run]                         say what would be done, and change nothing
  [--within DAYS]                     renew what ends in so many days (30)
  [--all]                             issue every certificate again, but no authority
  [--keep-keys]                       for the keys that are there
  [--at TIME]                         say what would be done then, in RFC 3339, and change nothing
  [--root PREFIX]                     look below this directory, such as a backup of /
Ends with 0, with 1 when something of severity error is left, or something that is due or was asked for, and with 2
when it could not look or not write.
What these do not say is told by the files themselves, and the defaults stand for what no file tells. A name that is
there stays, unless --config describes the cluster:";

const DAY: Duration = Duration::from_hours(24);

struct Arguments {
    layout: Layout,
    policy: Policy,
    now: Time,
    run: Run,
    window: Duration,
    existing: Existing,
}

#[derive(Clone, Copy)]
enum Run {
    Real,
    Dry,
    /// At another time than now: what is made then would not be valid yet.
    Then,
}

fn main() -> ExitCode {
    options::run_or(2, || match read_arguments()? {
        Some(arguments) => renew(arguments),
        None => print(format_args!("{USAGE}\n{}\n", options::USAGE)).map(|()| ExitCode::SUCCESS),
    })
}

fn renew(arguments: Arguments) -> Result<ExitCode, Error> {
    let Arguments { layout, policy, now, run, window, existing } = arguments;
    let show = |pki: &Pki| -> Result<Plan, Error> {
        let plan = pki.plan(&existing.expected(pki, &layout, Names::Kept)?, &policy, now);
        print(&plan)?;
        if plan.is_empty() && !plan.blocked().any(|blocked| blocked.finding().is_none()) {
            print(what_ends(pki, now, window))?;
        }
        Ok(plan)
    };
    // A store would make the directory.
    let mut pki = Pki::load(layout.clone())?;
    match run {
        Run::Real => {}
        Run::Dry => return Ok(code(&show(&pki)?)),
        Run::Then => {
            let code = code(&show(&pki)?);
            eprintln!("nothing was changed, because of --at");
            return Ok(code);
        }
    }
    let store = Store::open(layout.clone())?;
    pki = store.load()?;
    let plan = show(&pki)?;
    let code = code(&plan);
    plan.apply(&mut pki)
        .and_then(|()| store.commit(&mut pki))
        .map_err(|error| format!("nothing was changed: {error}"))?;
    Ok(code)
}

/// Whether something is left that is wrong, that is due, or that was asked for.
fn code(plan: &Plan) -> ExitCode {
    let is_left =
        plan.blocked().any(|blocked| blocked.severity() == Severity::Error || blocked.finding().is_none());
    ExitCode::from(u8::from(is_left))
}

/// Why nothing is done about what ends within the window.
fn what_ends(pki: &Pki, now: Time, window: Duration) -> String {
    const AUTHORITIES: [Role; 3] = [Role::KubernetesCa, Role::EtcdCa, Role::FrontProxyCa];
    let authorities = AUTHORITIES.iter().filter_map(|role| Some(pki.authorities().get(*role)?.certificate()));
    let leaves = pki.credentials().filter(|(role, _)| !role.is_authority()).map(|(_, it)| it.certificate());
    let ends = authorities.chain(leaves).map(|certificate| certificate.not_after());
    let days = window.as_secs() / (24 * 60 * 60);
    match ends.filter(|end| *end >= now && end.since(now) <= window).count() {
        0 => String::new(),
        1 => format!("1 certificate ends within {days} days, but a new one would hardly last longer\n"),
        count => {
            format!("{count} certificates end within {days} days, but new ones would hardly last longer\n")
        }
    }
}

/// `None` when only the usage is asked for.
fn read_arguments() -> Result<Option<Arguments>, Error> {
    let (mut directory, mut root, mut run, mut now) = (None, None, Run::Real, None);
    let (mut window, mut policy, mut options) = (DAY * 30, Policy::default(), Options::default());
    let mut arguments = options::parser();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(text) if directory.is_none() => directory = Some(PathBuf::from(text)),
            Long("dry-run") => run = Run::Dry,
            Long("within") => {
                let days: u32 = value("within", &mut arguments)?;
                window = DAY * days;
            }
            Long("all") => policy = policy.all(),
            Long("keep-keys") => policy = policy.keep_keys(),
            Long("at") => now = Some(value("at", &mut arguments)?),
            Long("root") => root = Some(PathBuf::from(arguments.value()?)),
            Short('h') | Long("help") => return Ok(None),
            Long(other) => {
                let other = other.to_owned();
                options = options.take(&other, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let directory = directory.ok_or("DIR is missing; --help shows all options")?;
    let existing = options.existing()?;
    if now.is_some()
        && let Run::Real = run
    {
        run = Run::Then;
    }
    Ok(Some(Arguments {
        layout: root.into_iter().fold(existing.layout(&directory), Layout::root),
        policy: policy.within(window),
        now: now.unwrap_or_else(Time::now),
        run,
        window,
        existing,
    }))
}
