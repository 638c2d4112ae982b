//! The static token file of kube-apiserver.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::import::Remark;
use crate::key::random;
use crate::names::{Group, UserName};
use crate::role::{CLUSTER_ADMINS, MASTERS};
use crate::token::ObjectUid;

/// The tokens of a static token file, `--token-auth-file`: lines of CSV (RFC 4180) with token, user name, UID, and the
/// groups between commas.
///
/// kube-apiserver reads it when it starts, and its tokens never end: it is for tests. The file holds passwords in the
/// clear, and belongs to root with mode 0600.
///
/// ```
/// use kubepki::token::{StaticToken, StaticTokens};
///
/// # fn main() -> kubepki::Result<()> {
/// let jane = StaticToken::generate("jane".parse()?, "1001".parse()?)?
///     .groups(["developers".parse()?, "testers".parse()?])?;
/// let csv = StaticTokens::new([jane]).to_csv();
/// assert!(csv.ends_with(",jane,1001,\"developers,testers\"\n"));
/// assert!(StaticTokens::from_csv(csv.as_bytes())?.remarks().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticTokens(Vec<StaticToken>);

impl StaticTokens {
    /// A file with these tokens, in their order.
    #[must_use]
    pub fn new(tokens: impl IntoIterator<Item = StaticToken>) -> Self {
        Self(tokens.into_iter().collect())
    }

    /// Reads a file of at most 1 MiB, as kube-apiserver does: what makes that refuse to start is an error here. All else
    /// is kept, and [remarked on](Self::remarks).
    ///
    /// (kubernetes/kubernetes, staging/src/k8s.io/apiserver/pkg/authentication/token/tokenfile/tokenfile.go, `NewCSV`)
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`], with the line, for quotes that are no CSV and for less than three columns; and for what is
    /// not UTF-8, which kube-apiserver would take.
    pub fn from_csv(file: &[u8]) -> Result<Self> {
        const LONGEST: usize = 1 << 20;
        if file.len() > LONGEST {
            return Err(Error::new(Code::Malformed, "at most 1 MiB").found(format!("{} bytes", file.len())));
        }
        let text = str::from_utf8(file).map_err(|error| {
            Error::new(Code::Malformed, "UTF-8").found(format!("other bytes from {} on", error.valid_up_to()))
        })?;
        let mut csv = Csv { rest: text, line: 0 };
        let mut tokens = Vec::new();
        while let Some((line, record)) = csv.record()? {
            tokens.push(StaticToken::read(record).map_err(|error| error.field(format!("line {line}")))?);
        }
        Ok(Self(tokens))
    }

    /// The file.
    #[must_use]
    pub fn to_csv(&self) -> Zeroizing<String> {
        let mut csv = Zeroizing::new(String::with_capacity(self.0.iter().map(StaticToken::longest).sum()));
        for token in &self.0 {
            token.write(&mut csv);
        }
        csv
    }

    /// The tokens, in the order of the file.
    #[must_use]
    pub fn tokens(&self) -> &[StaticToken] {
        &self.0
    }

    /// What kube-apiserver does not say, or only in its log: tokens without effect, that can be guessed, or that give
    /// power, and columns and groups that are not what they look like. The field of each is `record N`, counted from 1.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        let records = || self.0.iter().zip(1_usize..);
        let last: HashMap<&str, usize> = records().map(|(token, number)| (token.token(), number)).collect();
        let remarks = records().flat_map(|(token, number)| {
            let whats = match last.get(token.token()) {
                _ if token.token.is_empty() => vec!["is passed over: its token is empty".to_owned()],
                Some(last) if *last != number => {
                    vec![format!("is without effect: record {last} has the same token")]
                }
                _ => token.remarks(),
            };
            whats.into_iter().map(move |what| Remark::new(format!("record {number}"), what))
        });
        remarks.collect()
    }
}

/// One token of a static token file, and the user whom it makes of whoever has it.
#[derive(Clone)]
pub struct StaticToken {
    token: Zeroizing<String>,
    user: String,
    uid: String,
    groups: Vec<String>,
    /// Columns behind the groups, which kube-apiserver does not look at.
    ignored: Vec<Zeroizing<String>>,
}

impl StaticToken {
    /// Makes a token of 128 bits from the operating system's randomness, in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`Code::Random`] when the operating system gives no random bytes.
    pub fn generate(user: UserName, uid: ObjectUid) -> Result<Self> {
        let number = Zeroizing::new(u128::from_be_bytes(random()?));
        Ok(Self {
            token: Zeroizing::new(format!("{:032x}", *number)),
            user: user.to_string(),
            uid: uid.to_string(),
            groups: Vec::new(),
            ignored: Vec::new(),
        })
    }

    /// Sets the groups of the user.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for a group with a comma, which kube-apiserver would take for two.
    pub fn groups(mut self, groups: impl IntoIterator<Item = Group>) -> Result<Self> {
        self.groups = groups.into_iter().map(|group| group.to_string()).collect();
        match self.groups.iter().find(|group| group.contains(',')) {
            Some(group) => Err(Error::invalid("group", "no comma, in a static token file", group)),
            None => Ok(self),
        }
    }

    /// The token, as a client sends it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user's UID.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The user's groups, as kube-apiserver splits them: white space belongs to their names.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }

    fn read(record: Vec<Zeroizing<String>>) -> Result<Self> {
        let columns = record.len();
        let mut fields = record.into_iter();
        let (Some(token), Some(user), Some(uid)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(Error::new(Code::Malformed, "at least 3 columns: token, user name, UID")
                .found(columns.to_string()));
        };
        let groups = fields.next().map(|groups| groups.split(',').map(str::to_owned).collect());
        Ok(Self {
            token,
            user: user.to_string(),
            uid: uid.to_string(),
            groups: groups.unwrap_or_default(),
            ignored: fields.collect(),
        })
    }

    fn write(&self, csv: &mut String) {
        let groups = (!self.groups.is_empty() || !self.ignored.is_empty()).then(|| self.groups.join(","));
        let fields = [&*self.token, &self.user, &self.uid].into_iter();
        let fields = fields.map(String::as_str).chain(groups.as_deref());
        for (position, field) in fields.chain(self.ignored.iter().map(|field| field.as_str())).enumerate() {
            if position > 0 {
                csv.push(',');
            }
            write_field(csv, field);
        }
        csv.push('\n');
    }

    /// More bytes than [`write`](Self::write) writes, so that what it writes into never grows and leaves copies behind.
    fn longest(&self) -> usize {
        let fields = [&*self.token, &self.user, &self.uid].into_iter().chain(&self.groups);
        let lengths =
            fields.chain(self.ignored.iter().map(|field| &**field)).map(|field| 2 * field.len() + 3);
        lengths.sum::<usize>() + 4
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.token.starts_with('\u{feff}') {
            remarks.push("its token begins with a byte order mark, which belongs to the token".to_owned());
        }
        if self.token.contains(|c: char| c.is_whitespace() || c.is_control()) {
            remarks.push("its token has white space or control characters: no client can send it".to_owned());
        }
        if is_guessable(&self.token) {
            remarks.push("its token can be guessed, or is one of the documentation".to_owned());
        }
        if let Some(rule) = broken_rule(self.user.parse::<UserName>()) {
            // What is no name at all may be a token in the wrong column.
            let user = self
                .user
                .parse::<ObjectUid>()
                .map_or_else(|_| String::new(), |user| format!(" {:?}", user.as_str()));
            remarks.push(format!("user{user}: expected {rule}"));
        }
        for group in &self.groups {
            match group.as_str() {
                MASTERS => remarks
                    .push(format!("group {MASTERS}: may do everything, and no rule can take that away")),
                CLUSTER_ADMINS => remarks.push(format!("group {CLUSTER_ADMINS}: administrates the cluster")),
                _ => remarks.extend(
                    broken_rule(group.parse::<Group>())
                        .map(|rule| format!("group {group:?}: expected {rule}")),
                ),
            }
        }
        if !self.ignored.is_empty() {
            remarks.push(
                "columns behind the fourth are not looked at: several groups stand in one, in quotes"
                    .to_owned(),
            );
        }
        remarks
    }
}

impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In a file whose columns were confused, any of them may be the token.
        f.debug_struct("StaticToken").finish_non_exhaustive()
    }
}

fn broken_rule<T>(parsed: Result<T>) -> Option<String> {
    parsed.err().map(|error| error.expected().to_owned())
}

/// Whether a token is short, monotonous, or one that the documentation of Kubernetes prints.
fn is_guessable(token: &str) -> bool {
    const SHORTEST: usize = 16;
    const FEWEST_DIFFERENT: usize = 6;
    const PUBLISHED: [&str; 2] = ["02b50b05283e98dd0fd71db496ef01e8", "31ada4fd-adec-460c-809a-9e56ceb75269"];
    let different: BTreeSet<char> = token.chars().collect();
    token.chars().count() < SHORTEST || different.len() < FEWEST_DIFFERENT || PUBLISHED.contains(&token)
}

/// In quotes where Go's encoding/csv needs them. It takes `\r\n` for `\n` also within quotes, but only once.
fn write_field(csv: &mut String, field: &str) {
    if !field.contains([',', '"', '\r', '\n']) {
        return csv.push_str(field);
    }
    csv.push('"');
    for c in field.chars() {
        match c {
            '"' => csv.push_str("\"\""),
            '\n' if csv.ends_with('\r') => csv.push_str("\r\n"),
            _ => csv.push(c),
        }
    }
    csv.push('"');
}

/// Reads CSV as Go's encoding/csv does, which kube-apiserver uses (reader.go, `readRecord`): stricter than most, and each
/// field in one allocation that is zeroized.
struct Csv<'a> {
    rest: &'a str,
    line: usize,
}

/// A line without its end, and whether it had one.
type Line<'a> = (&'a str, bool);

impl<'a> Csv<'a> {
    /// The next record, with the number of its first line.
    fn record(&mut self) -> Result<Option<(usize, Vec<Zeroizing<String>>)>> {
        let (mut rest, start) = loop {
            match self.next_line() {
                None => return Ok(None),
                Some(("", _)) => {}
                Some(line) => break (line, self.line),
            }
        };
        let misquoted = || {
            Error::new(Code::Malformed, "quotes around whole fields only, and doubled within them (RFC 4180)")
                .found("others")
                .field(format!("line {start}"))
        };
        let mut fields = Vec::new();
        loop {
            let field = match rest.0.strip_prefix('"') {
                Some(quoted) => self.quoted(&mut rest, quoted).ok_or_else(misquoted)?,
                None => {
                    let field = rest.0.split(',').next().unwrap_or_default();
                    if field.contains('"') {
                        return Err(misquoted());
                    }
                    rest.0 = rest.0.get(field.len()..).unwrap_or_default();
                    field.to_owned()
                }
            };
            fields.push(Zeroizing::new(field));
            match rest.0.strip_prefix(',') {
                Some(behind) => rest.0 = behind,
                None => return Ok(Some((start, fields))),
            }
        }
    }

    /// A field behind its first quote, perhaps over several lines; `rest` becomes what is behind its last. `None` when
    /// quotes do not end, or something else than a comma stands behind them.
    fn quoted(&mut self, rest: &mut Line<'a>, behind_quote: &'a str) -> Option<String> {
        let mut pieces = Vec::new();
        rest.0 = behind_quote;
        loop {
            match rest.0.split_once('"') {
                Some((piece, behind)) => {
                    pieces.push(piece);
                    rest.0 = behind;
                    match behind.strip_prefix('"') {
                        Some(behind) => {
                            pieces.push("\"");
                            rest.0 = behind;
                        }
                        None if behind.is_empty() || behind.starts_with(',') => return Some(pieces.concat()),
                        None => return None,
                    }
                }
                None => {
                    pieces.extend([rest.0, if rest.1 { "\n" } else { "" }]);
                    *rest = self.next_line()?;
                }
            }
        }
    }

    fn next_line(&mut self) -> Option<Line<'a>> {
        let (line, ended) = match self.rest.split_once('\n') {
            Some((line, rest)) => {
                self.rest = rest;
                (line, true)
            }
            None if self.rest.is_empty() => return None,
            None => (std::mem::take(&mut self.rest), false),
        };
        self.line += 1;
        Some((line.strip_suffix('\r').unwrap_or(line), ended))
    }
}
