//! Registries and signers as they are: programs of others, on loopback addresses.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The kinds of registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// go-containerregistry's, with the list of referrers.
    Referrers,
    /// The same without it.
    Crane,
    /// Debian's docker-registry, which has none either; where it is installed.
    Docker,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Referrers, Self::Crane, Self::Docker];
}

/// A running registry; it ends with this value.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    _storage: tempfile::TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Where the reference tools are; None where there are none, which a CI run must not accept.
pub(crate) fn tools() -> Option<PathBuf> {
    let tools = env::var_os("MESHGATE_REFERENCE_TOOLS").map(PathBuf::from);
    let tools = tools.filter(|tools| tools.join("cosign").is_file());
    if tools.is_none() {
        assert!(env::var_os("CI").is_none(), "no cosign; tests/reference/build.sh builds it");
        println!("left out: no cosign; set MESHGATE_REFERENCE_TOOLS (tests/reference/build.sh builds it)");
    }
    tools
}

impl Program {
    /// Debian's, which lets nobody in who does not know the password of `robot`; None where it is not installed.
    pub(crate) fn guarded(tools: &Path, password: &str) -> Option<Self> {
        // What `htpasswd -B` would write: the hash is that of the C library.
        let script = "print crypt($ARGV[0], q($2b$05$abcdefghijklmnopqrstuu))";
        let hash = Command::new("perl").args(["-e", script, password]).output().unwrap();
        let users = format!("robot:{}\n", String::from_utf8(hash.stdout).unwrap());
        Self::started(Kind::Docker, tools, Some(&users))
    }

    /// None where the program is not installed. Only Debian's can lack: it is no module of Go.
    pub(crate) fn start(kind: Kind, tools: &Path) -> Option<Self> {
        Self::started(kind, tools, None)
    }

    fn started(kind: Kind, tools: &Path, users: Option<&str>) -> Option<Self> {
        let storage = tempfile::tempdir().unwrap();
        if kind == Kind::Referrers {
            let mut command = Command::new(tools.join("referrers-registry"));
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut address = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
            return Some(Self { child, address: address.trim().to_owned(), _storage: storage });
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut command = match kind {
            Kind::Docker => {
                let program = Path::new("/usr/bin/docker-registry");
                if !program.is_file() {
                    println!("left out: no docker-registry; apt-get install docker-registry");
                    return None;
                }
                let mut command = Command::new(program);
                command.arg("serve").arg(configuration(storage.path(), &address, users));
                command
            }
            _ => {
                let mut command = Command::new(tools.join("crane"));
                command.args(["registry", "serve", "--address", &address]);
                command
            }
        };
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "{kind:?} does not listen");
            sleep(Duration::from_millis(20));
        }
        Some(Self { child, address, _storage: storage })
    }
}

/// The file of Debian's registry.
fn configuration(storage: &Path, address: &str, users: Option<&str>) -> PathBuf {
    let (file, root, known) = (storage.join("config.yml"), storage.join("root"), storage.join("users"));
    let mut text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{address}'}}\n",
        root.display()
    );
    if let Some(users) = users {
        std::fs::write(&known, users).unwrap();
        text.push_str(&format!("auth: {{htpasswd: {{realm: x, path: {}}}}}\n", known.display()));
    }
    std::fs::write(&file, text).unwrap();
    file
}

/// Somebody with a key and cosign.
pub(crate) struct Signer {
    tools: PathBuf,
    pub(crate) directory: tempfile::TempDir,
}

impl Signer {
    pub(crate) fn new(tools: &Path) -> Self {
        let signer = Self { tools: tools.to_owned(), directory: tempfile::tempdir().unwrap() };
        signer.cosign(&["generate-key-pair"]);
        signer.cosign(&["signing-config", "create", "--out", "sc.json"]);
        signer
    }

    pub(crate) fn run(&self, tool: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.tools.join(tool));
        command.current_dir(self.directory.path()).env("COSIGN_PASSWORD", "").stdin(Stdio::null());
        // Neither the user's credentials nor what others have cached.
        command
            .env("DOCKER_CONFIG", self.directory.path())
            .env("TUF_ROOT", self.directory.path().join("tuf"));
        command.args(arguments).output().unwrap()
    }

    pub(crate) fn cosign(&self, arguments: &[&str]) -> String {
        self.said("cosign", arguments)
    }

    fn said(&self, tool: &str, arguments: &[&str]) -> String {
        let output = self.run(tool, arguments);
        assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes an image with content of its own; gives its name by digest.
    pub(crate) fn image(&self, registry: &str, name: &str) -> String {
        let (file, archive) = (format!("{name}.txt"), format!("{name}.tar"));
        std::fs::write(self.directory.path().join(&file), format!("{registry}/{name}")).unwrap();
        let tar =
            Command::new("tar").current_dir(self.directory.path()).args(["cf", &archive, &file]).status();
        assert!(tar.unwrap().success());
        let reference = format!("{registry}/{name}:v1");
        self.said("crane", &["append", "-f", &archive, "-t", &reference]);
        format!("{registry}/{name}@{}", self.said("crane", &["digest", &reference]).trim())
    }

    /// Signs as cosign 3 does, or as cosign 2 did.
    pub(crate) fn sign(&self, image: &str, legacy: bool) {
        self.cosign(&[&["sign", "--key", "cosign.key", "--yes"], form(legacy), &[image]].concat());
    }

    /// Says that it was built in some way.
    pub(crate) fn attest(&self, image: &str, legacy: bool) {
        self.attest_as(image, legacy, "slsaprovenance1", r#"{"a": 1}"#);
    }

    /// Says something of a type, by cosign's name for it.
    pub(crate) fn attest_as(&self, image: &str, legacy: bool, kind: &str, predicate: &str) {
        std::fs::write(self.directory.path().join("predicate.json"), predicate).unwrap();
        let what = ["--type", kind, "--predicate", "predicate.json"];
        self.cosign(
            &[&["attest", "--key", "cosign.key", "--yes"], &what[..], form(legacy), &[image]].concat(),
        );
    }
}

/// Without a log, for there is none here.
fn form(legacy: bool) -> &'static [&'static str] {
    if legacy {
        &["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"]
    } else {
        &["--signing-config", "sc.json"]
    }
}
