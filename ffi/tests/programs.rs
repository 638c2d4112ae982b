//! The programs in C and C++, built as a user would build them, and run under the programs that find faults of memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use tempfile::TempDir;

const C: [&str; 6] = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"];

/// The same for programs that watch themselves for faults of memory and for leaks.
const WATCHED: [&str; 8] = [
    "-std=c99",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
];

/// The library, installed into a directory of its own.
static INSTALLED: LazyLock<TempDir> = LazyLock::new(|| {
    let prefix = tempfile::tempdir().unwrap();
    succeeds(Command::new(here("install")).arg(prefix.path()));
    prefix
});

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a command to its end; when it fails, with what it wrote.
fn succeeds(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    stdout
}

/// What pkg-config says.
fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(arguments).env("PKG_CONFIG_PATH", INSTALLED.path().join("lib/pkgconfig"));
    succeeds(&mut command).split_whitespace().map(str::to_owned).collect()
}

/// How a program is linked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    Shared,
    Static,
}

/// A program and a directory for it.
struct Program {
    directory: TempDir,
    path: PathBuf,
}

impl Program {
    fn build(source: &str, link: Link, options: &[&str]) -> Self {
        let compiler = if source.ends_with(".cc") { "g++" } else { "gcc" };
        let package = if link == Link::Static { "kubepki-static" } else { "kubepki" };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        let mut command = Command::new(compiler);
        command.args(options).args(pkg_config(&["--cflags", package])).arg(here(source)).arg("-o").arg(&path);
        succeeds(command.args(pkg_config(&["--libs", package])).arg("-pthread"));
        Self { directory, path }
    }

    fn of(text: &str, link: Link, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("program.c");
        fs::write(&source, text).unwrap();
        Self::build(source.to_str().unwrap(), link, options)
    }

    /// A directory that is there and empty.
    fn empty(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    /// The command that runs it, perhaps by another program.
    fn command(&self, by: &[&str]) -> Command {
        let mut command = match by {
            [] => Command::new(&self.path),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.path);
                command
            }
        };
        command.env("LD_LIBRARY_PATH", INSTALLED.path().join("lib")).env("ASAN_OPTIONS", "detect_leaks=1");
        command
    }
}

const CHECKS: [&str; 9] = [
    "tests/everything.c",
    "tests/given.c",
    "tests/users.c",
    "tests/machines.c",
    "tests/bad_input.c",
    "tests/bad_given.c",
    "tests/signer.c",
    "tests/elsewhere.c",
    "tests/causes.c",
];

/// It is given a directory, the number of threads, their rounds, and by how many KiB memory may grow.
const THREADS: &str = "tests/threads.c";

/// What the standard library keeps for the main thread is reachable, though not by its beginning.
const VALGRIND: [&str; 6] = [
    "valgrind",
    "--quiet",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect",
    "--show-leak-kinds=definite,indirect",
    "--error-exitcode=9",
];

#[test]
fn nothing_is_leaked_or_misused_by_the_address_sanitizers_word() {
    for source in CHECKS {
        let program = Program::build(source, Link::Static, &WATCHED);
        succeeds(program.command(&[]).arg(program.empty("empty")));
    }
    let threads = Program::build(THREADS, Link::Static, &WATCHED);
    succeeds(threads.command(&[]).arg(threads.empty("empty")).args(["8", "50", "1000000"]));
}

#[test]
fn nothing_is_leaked_or_misused_by_valgrinds_word() {
    for source in CHECKS {
        let program = Program::build(source, Link::Shared, &C);
        succeeds(program.command(&VALGRIND).arg(program.empty("empty")));
    }
}

#[test]
fn a_program_that_leaks_is_found_by_both() {
    let leaking = "#include <kubepki.h>\nint main(void) {\n    kubepki_cluster *cluster = 0;\n    \
                   kubepki_error *error = kubepki_cluster_new(KUBEPKI_LITERAL(\"a.example\"), &cluster);\n    \
                   cluster = 0;\n    return error != 0;\n}\n";
    let program = Program::of(leaking, Link::Static, &WATCHED);
    assert!(
        String::from_utf8_lossy(&program.command(&[]).output().unwrap().stderr).contains("LeakSanitizer")
    );
    let program = Program::of(leaking, Link::Shared, &C);
    assert_eq!(program.command(&VALGRIND).output().unwrap().status.code(), Some(9));
}

#[test]
fn eight_threads_run_a_thousand_rounds_in_constant_memory() {
    let program = Program::build(THREADS, Link::Static, &[&C[..], &["-O1"]].concat());
    let mut command = program.command(&[]);
    println!("{}", succeeds(command.arg(program.empty("empty")).args(["8", "1000", "2048"])));
}

const HELGRIND: [&str; 4] = ["valgrind", "--quiet", "--tool=helgrind", "--error-exitcode=9"];

#[test]
fn threads_do_not_race_by_helgrinds_word() {
    let program = Program::build(THREADS, Link::Shared, &C);
    succeeds(program.command(&HELGRIND).arg(program.empty("empty")).args(["4", "10", "1000000"]));
}

/// ThreadSanitizer does not know every address that newer kernels give a program.
fn known_addresses() -> &'static [&'static str] {
    const ARRANGED: [&str; 2] = ["setarch", "--addr-no-randomize"];
    let may = Command::new(ARRANGED[0]).args(&ARRANGED[1..]).arg("true").output();
    if may.is_ok_and(|output| output.status.success()) { &ARRANGED } else { &[] }
}

/// It sees less of the library than helgrind does, what is allocated, copied and freed, but so in many more rounds.
#[test]
fn threads_do_not_race_by_the_thread_sanitizers_word() {
    let program = Program::build(THREADS, Link::Static, &[&C[..], &["-fsanitize=thread"]].concat());
    succeeds(program.command(known_addresses()).arg(program.empty("empty")).args(["8", "100", "1000000"]));
}

#[test]
fn a_program_that_races_is_found_by_both() {
    let racing = "#include <kubepki.h>\n#include <pthread.h>\nstatic kubepki_cluster *cluster;\n\
                  static void *run(void *unused) {\n    (void)unused;\n    \
                  kubepki_error_free(kubepki_cluster_set_endpoint(cluster, KUBEPKI_LITERAL(\"b.example\")));\n    \
                  return 0;\n}\nint main(void) {\n    pthread_t thread;\n    \
                  kubepki_error_free(kubepki_cluster_new(KUBEPKI_LITERAL(\"a.example\"), &cluster));\n    \
                  pthread_create(&thread, 0, run, 0);\n    run(0);\n    pthread_join(thread, 0);\n    \
                  kubepki_cluster_free(cluster);\n    return 0;\n}\n";
    let program = Program::of(racing, Link::Static, &[&C[..], &["-fsanitize=thread"]].concat());
    let output = program.command(known_addresses()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("data race"), "{output:?}");
    let program = Program::of(racing, Link::Shared, &C);
    assert_eq!(program.command(&HELGRIND).output().unwrap().status.code(), Some(9));
}

#[test]
fn however_a_program_is_linked_a_panic_is_caught_and_what_was_begun_is_undone() {
    let links: [(Link, &[&str]); 6] = [
        (Link::Shared, &[]),
        (Link::Static, &[]),
        (Link::Static, &["-static"]),
        (Link::Static, &["-static-pie"]),
        (Link::Static, &["-static-libgcc"]),
        (Link::Static, &["-static", "-Wl,--gc-sections"]),
    ];
    for (link, options) in links {
        let program = Program::build("tests/panic.c", link, &[&C[..], options].concat());
        succeeds(program.command(&[]).arg(program.empty("empty")));
    }
}

#[test]
fn a_program_that_needs_nothing_where_it_runs_does_everything() {
    for source in ["tests/everything.c", "tests/given.c"] {
        let program = Program::build(source, Link::Static, &[&C[..], &["-static"]].concat());
        succeeds(program.command(&[]).arg(program.empty("empty")));
        let headers = succeeds(Command::new("readelf").arg("--program-headers").arg(&program.path));
        assert!(headers.contains("LOAD") && !headers.contains("INTERP"), "{headers}");
    }
}

/// All but what unwinds, which gcc and clang add themselves: a shared library, or with `-static` a static one.
#[test]
fn the_static_library_is_linked_with_what_rust_needs() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("empty.rs");
    fs::write(&source, "").unwrap();
    let mut rustc = Command::new("rustc");
    rustc.args(["--crate-type=staticlib", "--print=native-static-libs"]).arg(&source);
    let Output { status, stderr, .. } = rustc.current_dir(directory.path()).output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    let libraries = told.lines().find_map(|line| line.strip_prefix("note: native-static-libs: "));
    let libraries = libraries.unwrap_or_else(|| panic!("{status}: {told}")).replace("-lgcc_s ", "");
    assert_eq!(pkg_config(&["--libs-only-l", "kubepki-static"]).join(" "), libraries);
    let readme = fs::read_to_string(here("README.md")).unwrap();
    assert!(readme.contains(&format!("`libkubepki.a {libraries}`")), "{libraries}");
}

#[test]
fn the_header_is_one_of_cxx_and_of_newer_c_as_well() {
    for standard in ["-std=c++11", "-std=c++20"] {
        let options = [standard, "-Wall", "-Wextra", "-Werror", "-pedantic"];
        succeeds(&mut Program::build("tests/header.cc", Link::Shared, &options).command(&[]));
    }
    for standard in ["-std=c11", "-std=c2x"] {
        Program::build("tests/everything.c", Link::Shared, &[&C[1..], &[standard]].concat());
    }
}

#[test]
fn another_static_library_of_rust_may_be_linked_before_it_and_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let [rust, other, c] = ["other.rs", "libother.a", "both.c"].map(|name| directory.path().join(name));
    let function =
        "#[unsafe(no_mangle)] pub extern \"C\" fn other() -> usize { format!(\"{:?}\", [1]).len() }";
    fs::write(&rust, function).unwrap();
    succeeds(
        Command::new("rustc").args(["--edition=2024", "--crate-type=staticlib", "-o"]).args([&other, &rust]),
    );
    let calls = "#include <kubepki.h>\nsize_t other(void);\nint main(void) {\n    kubepki_files *files = 0;\n    \
                 int failed = kubepki_files_new(&files) != 0 || other() != 3;\n    \
                 kubepki_files_free(files);\n    return failed;\n}\n";
    fs::write(&c, calls).unwrap();
    let (ours, cflags) =
        (pkg_config(&["--libs", "kubepki-static"]), pkg_config(&["--cflags", "kubepki-static"]));
    let other = other.to_str().unwrap().to_owned();
    for libraries in [
        [std::slice::from_ref(&other), &ours[..]].concat(),
        [&ours[..1], std::slice::from_ref(&other), &ours[1..]].concat(),
    ] {
        let program = directory.path().join("program");
        let mut gcc = Command::new("gcc");
        succeeds(gcc.args(&cflags).arg(&c).args(&libraries).arg("-o").arg(&program));
        succeeds(&mut Command::new(program));
    }
}

#[test]
fn the_examples_do_what_they_say() {
    let build = |name: &str| Program::build(&format!("examples/{name}.c"), Link::Static, &WATCHED);
    let (create, audit, sign) = (build("create_cluster"), build("audit_renew"), build("sign_with_callback"));
    let directory = create.directory.path().join("kubernetes");
    let told = succeeds(create.command(&[]).arg(&directory));
    assert!(
        told.contains("0600 pki/ca.key\n") && told.contains("--client-ca-file=/etc/kubernetes/pki/ca.crt\n")
    );
    let again = create.command(&[]).arg(&directory).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).ends_with(" [exists]\n"), "{again:?}");

    assert_eq!(succeeds(audit.command(&[]).arg(&directory)), "nothing to do\n");
    fs::remove_file(directory.join("pki/apiserver-etcd-client.crt")).unwrap();
    let damaged = audit.command(&[]).arg(&directory).output().unwrap();
    assert_eq!(damaged.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&damaged.stdout).contains("missing-file"), "{damaged:?}");
    let plain = Program::build("examples/audit_renew.c", Link::Shared, &C);
    let watched = plain.command(&VALGRIND).arg(&directory).output().unwrap();
    assert_eq!(watched.status.code(), Some(3), "{}", String::from_utf8_lossy(&watched.stderr));
    let absent = directory.join("absent");
    assert_eq!(audit.command(&[]).arg(&absent).output().unwrap().status.code(), Some(1));
    assert!(!absent.exists());
    succeeds(audit.command(&[]).arg(&directory).arg("--renew"));
    assert_eq!(succeeds(audit.command(&[]).arg(&directory)), "nothing to do\n");

    let (key, worker) = (directory.join("ca.key.of.the.hsm"), directory.join("w-1"));
    fs::rename(directory.join("pki/ca.key"), &key).unwrap();
    succeeds(sign.command(&[]).args([&directory, &key, &worker]));
    let mut openssl = Command::new("openssl");
    openssl.args(["verify", "-CAfile"]).arg(directory.join("pki/ca.crt")).arg(worker.join("pki/kubelet.crt"));
    succeeds(&mut openssl);
    fs::remove_file(&key).unwrap();
    let failed = sign.command(&[]).args([&directory, &key, &directory.join("w-2")]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&failed.stderr).contains("openssl has not signed [signer]"),
        "{failed:?}"
    );
}

#[test]
fn the_example_signs_what_may_be_asked_for_and_nothing_else() {
    let create = Program::build("examples/create_cluster.c", Link::Static, &WATCHED);
    let sign = Program::build("examples/sign_csr.c", Link::Static, &WATCHED);
    let [cluster, request, object, certificate] =
        ["kubernetes", "csr", "object", "crt"].map(|name| sign.directory.path().join(name));
    succeeds(create.command(&[]).arg(&cluster));
    let authority = cluster.join("pki/ca.crt");
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
    ]);
    openssl.args(["/dev/null", "-subj", "/CN=web.shop.svc", "-addext", "subjectAltName=DNS:web.shop.svc"]);
    succeeds(openssl.arg("-out").arg(&request));
    let base64 = succeeds(Command::new("openssl").args(["base64", "-A", "-in"]).arg(&request));
    let signed_for = |user: &str| {
        let text = format!(
            "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {{name: web}}\n\
             spec:\n  request: {base64}\n  signerName: example.com/serving\n  expirationSeconds: 86400\n  \
             usages: [server auth, digital signature]\n  username: {user}\n"
        );
        fs::write(&object, text).unwrap();
        let mut command = sign.command(&[]);
        command.arg(&authority).arg(cluster.join("pki/ca.key")).arg("shop");
        command.stdin(fs::File::open(&object).unwrap()).output().unwrap()
    };
    let Output { status, stdout, stderr } = signed_for("system:serviceaccount:shop:web");
    assert!(status.success() && stderr.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    let printed = String::from_utf8(stdout).unwrap();
    let (_, pem) = printed.split_once("\n  certificate: ").unwrap();
    fs::write(&object, pem.lines().next().unwrap()).unwrap();
    let mut openssl = Command::new("openssl");
    succeeds(openssl.args(["base64", "-d", "-A", "-in"]).arg(&object).arg("-out").arg(&certificate));
    let mut openssl = Command::new("openssl");
    openssl.args(["verify", "-purpose", "sslserver", "-verify_hostname", "web.shop.svc", "-CAfile"]);
    succeeds(openssl.args([&authority, &certificate]));

    let denied = signed_for("jane");
    assert_eq!(denied.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&denied.stderr).contains("\"jane\" may not ask for this"), "{denied:?}");
    assert_eq!(signed_for("[").status.code(), Some(2));
}

#[test]
fn the_libraries_show_only_their_own_functions() {
    let symbols = |options: &[&str], library: &str| {
        let mut nm = Command::new("nm");
        nm.args(options)
            .args(["--defined-only", "--format=posix"])
            .arg(INSTALLED.path().join("lib").join(library));
        let names = succeeds(&mut nm);
        let names = names.lines().filter(|line| line.split(' ').count() > 2);
        names.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let shown = symbols(&["--dynamic"], "libkubepki.so");
    assert!(shown.len() > 100 && shown.iter().all(|name| name.starts_with("kubepki_")), "{shown:?}");
    assert_eq!(symbols(&["--extern-only"], "libkubepki.a"), shown);
}

#[test]
fn each_minor_version_has_a_soname() {
    let library = INSTALLED.path().join("lib/libkubepki.so");
    let dynamic = succeeds(Command::new("readelf").arg("-d").arg(&library));
    let soname =
        concat!("libkubepki.so.", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    assert!(dynamic.contains(&format!("[{soname}]")), "{dynamic}");
    assert!(INSTALLED.path().join("lib").join(soname).exists());
}

/// README.md says them, and why the library has more than 3 MB.
#[test]
fn library_and_program_are_small() {
    let library = fs::metadata(INSTALLED.path().join("lib/libkubepki.so")).unwrap().len();
    let program = Program::build("examples/create_cluster.c", Link::Static, &["-std=c99", "-O2", "-s"]);
    let program = fs::metadata(&program.path).unwrap().len();
    println!("shared library: {library} bytes, program: {program} bytes");
    assert!(library <= 3_300_000 && program <= 4_000_000, "{library}, {program}");
}
