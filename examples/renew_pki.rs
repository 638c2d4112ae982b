//! Renews what ends soon in a directory, and mends what a plan can mend.
//!
//! Exit code 0: nothing of severity error is left, or would be without `--dry-run`; 1: something is; 2: it
//! could not look, or not change anything.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use kubepki::{Expected, Layout, Pki, Plan, Policy, Severity, Store, Time};
use lexopt::prelude::*;
use options::{Description, Error, Options, print, value};

const USAGE: &str = "usage: renew_pki DIR [OPTION]...
  DIR                                 has pki/ and *.conf, such as /etc/kubernetes
  [--dry-run]                         say what would be done, and change nothing
  [--within DAYS]                     renew what ends in so many days (30)
  [--all]                             issue every certificate again, but no authority
  [--keep-keys]                       for the keys that are there
  [--at TIME]                         as if it were then, in RFC 3339 (now)
  [--root PREFIX]                     look below this directory, such as a backup of /
With one of these the certificates are made as described, without any as they are:";

struct Arguments {
    layout: Layout,
    policy: Policy,
    now: Time,
    run: Run,
    description: Option<Description>,
}

#[derive(Clone, Copy)]
enum Run {
    Real,
    Dry,
}

fn main() -> ExitCode {
    options::run_or(2, || match read_arguments()? {
        Some(arguments) => renew(arguments),
        None => print(format_args!("{USAGE}\n{}\n", options::USAGE)).map(|()| ExitCode::SUCCESS),
    })
}

fn renew(Arguments { layout, policy, now, run, description }: Arguments) -> Result<ExitCode, Error> {
    let plan = |pki: &Pki| -> Plan {
        match &description {
            Some(Description { cluster, node, .. }) => {
                pki.plan(&Expected::new(cluster, node).layout(layout.clone()), &policy, now)
            }
            None => pki.plan(pki.expected(), &policy, now),
        }
    };
    // A store would make the directory.
    let mut pki = Pki::load(layout.clone())?;
    if let Run::Dry = run {
        let plan = plan(&pki);
        print(&plan)?;
        return Ok(code(&plan));
    }
    let store = Store::open(layout.clone())?;
    pki = store.load()?;
    let plan = plan(&pki);
    print(&plan)?;
    let code = code(&plan);
    plan.apply(&mut pki)?;
    store.commit(&mut pki)?;
    Ok(code)
}

fn code(plan: &Plan) -> ExitCode {
    ExitCode::from(u8::from(plan.blocked().any(|blocked| blocked.severity() == Severity::Error)))
}

/// `None` when only the usage is asked for.
fn read_arguments() -> Result<Option<Arguments>, Error> {
    let (mut directory, mut root, mut run, mut now) = (None, None, Run::Real, None);
    let (mut policy, mut options) = (Policy::default(), Options::default());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(text) if directory.is_none() => directory = Some(PathBuf::from(text)),
            Long("dry-run") => run = Run::Dry,
            Long("within") => {
                let days: u32 = value("within", &mut arguments)?;
                policy = policy.within(Duration::from_hours(24) * days);
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
    let description = options.if_given()?;
    let layout = description.as_ref().map_or_else(|| Layout::new(&directory), |it| it.layout(&directory));
    Ok(Some(Arguments {
        layout: root.into_iter().fold(layout, Layout::root),
        policy,
        now: now.unwrap_or_else(Time::now),
        run,
        description,
    }))
}
