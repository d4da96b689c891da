//! Names and passwords of web servers from `.netrc`, which many use for archives and Terraform reads too.
//!
//! The file is the one that `NETRC` names, or `.netrc` in the home directory. Of its format `machine`, `default`, `login`,
//! `password` and `account` have a meaning; a `macdef` and all that follows it are skipped.

use std::path::PathBuf;

/// The name and the password for a host, if the user's file has one.
pub(crate) fn login(host: &str) -> Option<(String, String)> {
    let path = match std::env::var_os("NETRC").filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => std::env::home_dir()?.join(".netrc"),
    };
    find(&std::fs::read_to_string(path).ok()?, host)
}

fn find(text: &str, host: &str) -> Option<(String, String)> {
    let text = text.split("macdef").next().unwrap_or_default();
    let mut words =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut meant, mut login, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if meant {
                    break;
                }
                meant = word == "default" || words.next() == Some(host);
                (login, password) = (None, None);
            }
            "login" => login = words.next(),
            "password" => password = words.next(),
            "account" => drop(words.next()),
            _ => {}
        }
    }
    meant.then(|| Some((login?.to_owned(), password.unwrap_or_default().to_owned())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_for_a_host_counts() {
        let text = "# mine\nmachine a.example login ada password one\nmachine b.example\n  login bob\n  account x\n  password two\ndefault login any password three\nmacdef init\nmachine c.example login no password no\n";
        for (host, wanted) in
            [("a.example", ("ada", "one")), ("b.example", ("bob", "two")), ("c.example", ("any", "three"))]
        {
            assert_eq!(find(text, host), Some((wanted.0.to_owned(), wanted.1.to_owned())), "{host}");
        }
        assert_eq!(find("machine a.example password one\n", "a.example"), None);
        assert_eq!(find("", "a.example"), None);
    }
}
