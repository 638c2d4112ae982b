//! The header: made from the code, complete, and of its version.

use std::path::{Path, PathBuf};
use std::{env, fs};

use cbindgen::{Builder, Config, DocumentationStyle, ExportConfig, Language, Style};

const HEAD: &str = "\
/*
 * kubepki: the whole certificate set of a Kubernetes cluster.
 *
 * Rules that hold everywhere:
 *
 * - A function that can fail returns an error, which the caller frees, or NULL: then it has succeeded. What it was to
 *   write it writes on success only, and last of its parameters.
 * - What is given is a pointer and a length, which is read during the call and copied if it is kept. Nothing need end
 *   with a zero byte. Where the length is 0 the pointer may be NULL. KUBEPKI_LITERAL(\"...\") is both of a literal.
 * - What is given back is a handle, which the caller frees by the function that belongs to its type, or a view of a
 *   handle's own bytes: that ends with its handle, or with the next call that takes the handle without const.
 * - A handle that is NULL is KUBEPKI_ERROR_NULL, with the parameter's name, unless the function says what it means.
 *   Functions that free accept it, and do nothing; those that only look answer with 0 or an empty view. A kubepki_list
 *   may be NULL, which is empty.
 * - No handle belongs to a thread, and there is no state beside the handles. \"Threads: any\" and \"any at once\" say that
 *   any number of threads may call it, also with the same handles. \"One at a time\" says that nobody else may use the
 *   handle that the call takes without const, and \"the last to use it\" that nobody does so after it.
 * - Whatever signs by a kubepki_signer may call its callback, on its own thread and on others.
 * - Text is UTF-8, and so are paths. Roles, algorithms, components and conventions are their documented names. Moments
 *   are seconds since 1970, spans are seconds.
 * - Private keys are secrets wherever they stand, and so are tokens and kubeconfigs. They are overwritten when they are
 *   freed. No error quotes one.
 */";

const MACROS: &str = r#"
/* The version of this header; kubepki_version and kubepki_version_number give that of the library. */
#define KUBEPKI_VERSION "VERSION"
#define KUBEPKI_VERSION_MAJOR MAJOR
#define KUBEPKI_VERSION_MINOR MINOR
#define KUBEPKI_VERSION_PATCH PATCH
#define KUBEPKI_VERSION_NUMBER \
    (KUBEPKI_VERSION_MAJOR * 1000000 + KUBEPKI_VERSION_MINOR * 1000 + KUBEPKI_VERSION_PATCH)

/* A literal as a pointer and its length. */
#define KUBEPKI_LITERAL(text) ("" text), (sizeof(text) - 1)"#;

/// The header as the code has it.
fn made() -> String {
    let macros = [
        ("VERSION\"", concat!(env!("CARGO_PKG_VERSION"), "\"")),
        (" MAJOR", concat!(" ", env!("CARGO_PKG_VERSION_MAJOR"))),
        (" MINOR", concat!(" ", env!("CARGO_PKG_VERSION_MINOR"))),
        (" PATCH", concat!(" ", env!("CARGO_PKG_VERSION_PATCH"))),
    ];
    let macros = macros.into_iter().fold(MACROS.to_owned(), |text, (name, value)| text.replace(name, value));
    let config = Config {
        language: Language::C,
        header: Some(HEAD.to_owned()),
        include_guard: Some("KUBEPKI_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        after_includes: Some(macros),
        cpp_compat: true,
        usize_is_size_t: true,
        line_length: 118,
        style: Style::Type,
        documentation_style: DocumentationStyle::C99,
        export: ExportConfig { exclude: vec!["Fail".to_owned()], ..ExportConfig::default() },
        ..Config::default()
    };
    let mut header = Vec::new();
    let bindings = Builder::new().with_crate(env!("CARGO_MANIFEST_DIR")).with_config(config).generate();
    bindings.expect("cbindgen reads the code").write(&mut header);
    String::from_utf8(header).expect("UTF-8")
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/kubepki.h")
}

#[test]
fn the_header_is_what_the_code_says() {
    let made = made();
    if env::var_os("UPDATE_HEADER").is_some() {
        fs::write(path(), &made).unwrap();
    }
    let header = fs::read_to_string(path()).unwrap();
    assert!(made == header, "run it with UPDATE_HEADER=1, and read the difference");
}

/// Each function of the header: its name, the comment before it, and its declaration.
fn functions(header: &str) -> Vec<(&str, String, String)> {
    let mut functions = Vec::new();
    for block in header.split("\n\n") {
        let (comment, code): (Vec<_>, Vec<_>) = block.lines().partition(|line| line.starts_with("//"));
        let declaration = code.first().filter(|line| line.contains('(') && !line.starts_with("typedef"));
        let name = declaration.and_then(|line| line.split('(').next()?.rsplit([' ', '*']).next());
        if let Some(name) = name.filter(|name| name.starts_with("kubepki_")) {
            functions.push((name, comment.join("\n"), code.join("\n")));
        }
    }
    functions
}

#[test]
fn every_function_says_what_it_does_who_may_call_it_and_who_frees_and_is_called_by_a_test() {
    let header = made();
    let functions = functions(&header);
    let exported: usize =
        sources("src", "rs").iter().map(|it| it.matches("#[unsafe(no_mangle)]").count()).sum();
    assert_eq!(functions.len(), exported);

    let tests: String =
        ["tests", "examples"].into_iter().flat_map(|directory| sources(directory, "c")).collect();
    for (name, comment, declaration) in functions {
        let (what, threads) = comment.split_once("\n//\n// Threads: ").unwrap_or_default();
        assert!(what.len() > 10, "{name} does not say what it does");
        assert!(threads.len() > 3, "{name} does not say which threads may call it");
        let frees = declaration.contains("**out").then_some("Free `*out`");
        assert!(threads.contains(frees.unwrap_or_default()), "{name} does not say who frees");
        let lives = declaration.starts_with("kubepki_").then_some(["live", "always there"]);
        let lives = lives.filter(|_| {
            !["_error *", "_code ", "_severity ", "_state ", "_verdict "]
                .iter()
                .any(|it| declaration.contains(it))
        });
        assert!(
            lives.is_none_or(|words| words.iter().any(|it| threads.contains(it))),
            "{name} does not say how long its view lives"
        );
        assert!(tests.contains(&format!("{name}(")), "{name} is called by no test");
    }
}

/// Where NULL means something.
const MAY_BE_NULL: [(&str, &str); 6] = [
    ("kubepki_kubeconfig_webhook", "user"),
    ("kubepki_pki_audit", "expected"),
    ("kubepki_pki_plan", "expected"),
    ("kubepki_pki_plan", "policy"),
    ("kubepki_profile_new", "node"),
    ("kubepki_signer_new", "release"),
];

#[test]
fn every_handle_and_every_place_for_a_result_is_missed_by_its_name_in_a_test() {
    let header = made();
    let functions = functions(&header);
    let tests: String = sources("tests", "c").concat().split_whitespace().collect();
    let (mut missed, mut optional) = (0, 0);
    for (function, comment, declaration) in &functions {
        for name in needed(declaration) {
            if MAY_BE_NULL.contains(&(function, name)) {
                assert!(comment.contains("NULL"), "{function} does not say what NULL means for {name}");
                optional += 1;
                continue;
            }
            assert!(tests.contains(&format!("MISSES(\"{name}\",{function}(")), "{function}: {name}");
            missed += 1;
        }
    }
    assert!(missed > 150 && optional == MAY_BE_NULL.len(), "{missed}, {optional}");
}

/// The parameters of a function that can fail which are handles, callbacks or places for results; a list may be NULL.
fn needed(declaration: &str) -> impl Iterator<Item = &str> {
    let parameters = declaration.strip_prefix("kubepki_error *").and_then(|it| it.split_once('('));
    let (_, parameters) = parameters.unwrap_or_default();
    let each = parameters.trim_end_matches(");").split(',');
    let named = each.filter_map(|it| it.trim().rsplit_once([' ', '*']));
    let needed = named
        .filter(|(kind, name)| *name == "out" || kind.contains("kubepki_") && *kind != "const kubepki_list ");
    needed.map(|(_, name)| name)
}

/// The text of each file of a kind.
fn sources(directory: &str, extension: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}
