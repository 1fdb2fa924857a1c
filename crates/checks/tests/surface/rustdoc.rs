//! Reads the public items from rustdoc's JSON.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

/// The public API of a crate.
#[derive(Default)]
pub(crate) struct Api {
    /// `kind path`, for every item that can be named. Of an item that is exported twice, the second
    /// export is one line: `use path`.
    pub(crate) items: BTreeSet<String>,
    pub(crate) foreign: BTreeSet<Foreign>,
}

/// A type or trait of another crate in a public item.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Foreign {
    pub(crate) krate: String,
    pub(crate) name: String,
    pub(crate) place: String,
}

impl Api {
    pub(crate) fn of(json: &Value) -> Self {
        let mut walk = Walk {
            json,
            seen: HashSet::new(),
            exported: HashMap::new(),
            api: Self::default(),
        };
        walk.item(&json["root"], "");
        walk.api
    }
}

struct Walk<'j> {
    json: &'j Value,
    seen: HashSet<(String, String)>,
    /// Where each item was exported first.
    exported: HashMap<String, String>,
    api: Api,
}

impl<'j> Walk<'j> {
    fn get(&self, id: &Value) -> Option<&'j Value> {
        self.json["index"].get(id.to_string())
    }

    fn item(&mut self, id: &Value, within: &str) {
        let Some(item) = self.get(id) else { return };
        let Some((kind, inner)) = item["inner"]
            .as_object()
            .and_then(|inner| inner.iter().next())
        else {
            return;
        };
        // Items of traits, implementations and enums have the default visibility.
        if !matches!(item["visibility"].as_str(), Some("public" | "default")) {
            return;
        }
        if kind == "use" {
            return self.reexported(inner, within);
        }
        let path = match (within, item["name"].as_str()) {
            (_, None) => within.to_owned(),
            ("", Some(name)) => name.to_owned(),
            (_, Some(name)) => format!("{within}::{name}"),
        };
        if !self.seen.insert((id.to_string(), path.clone())) {
            return;
        }
        // A guide is documentation only.
        if path.ends_with("::guide") {
            return;
        }
        if kind != "impl" {
            self.api.items.insert(format!("{kind} {path}"));
        }
        match kind.as_str() {
            "module" => self.module(&inner["items"], &path),
            "impl" => self.implementation(inner, &path),
            "trait" => {
                self.mentions(inner, &path);
                self.items(&inner["items"], &path);
                // Implementations for types of other crates are listed only here.
                self.implementations(&inner["implementations"], &path);
            }
            _ => {
                self.mentions(inner, &path);
                for list in ["variants", "impls"] {
                    self.items(&inner[list], &path);
                }
                let fields = &inner["kind"];
                for list in [
                    &fields["plain"]["fields"],
                    &fields["struct"]["fields"],
                    &fields["tuple"],
                ] {
                    self.items(list, &path);
                }
            }
        }
    }

    /// The modules within it come first: an item that the root exports too belongs to its module.
    fn module(&mut self, ids: &Value, path: &str) {
        let is_module = |id: &&Value| {
            self.get(id)
                .is_some_and(|item| item["inner"]["module"].is_object())
        };
        let ids = ids.as_array().into_iter().flatten();
        let (modules, others): (Vec<_>, Vec<_>) = ids.partition(is_module);
        for id in modules.into_iter().chain(others) {
            self.item(id, path);
        }
    }

    fn items(&mut self, ids: &Value, within: &str) {
        for id in ids.as_array().into_iter().flatten() {
            self.item(id, within);
        }
    }

    fn reexported(&mut self, inner: &Value, within: &str) {
        if self.get(&inner["id"]).is_some() {
            let name = inner["name"].as_str().unwrap_or_default();
            let path = format!("{within}::{name}");
            let exported = self.exported.entry(inner["id"].to_string());
            if *exported.or_insert_with(|| path.clone()) != path {
                self.api.items.insert(format!("use {path}"));
                return;
            }
            return self.item(&inner["id"], within);
        }
        let source = inner["source"].as_str().unwrap_or_default();
        self.api.items.insert(format!("use {within}::{source}"));
        self.mentions(inner, within);
        self.mention(&inner["id"], &format!("{within}::{source}"));
    }

    fn implementation(&mut self, inner: &Value, path: &str) {
        // Auto traits and blanket implementations are not ours.
        if inner["is_synthetic"] == true || !inner["blanket_impl"].is_null() {
            return;
        }
        self.mentions(inner, path);
        match inner["trait"]["path"].as_str() {
            None => self.items(&inner["items"], path),
            // Comes with a derived `PartialEq`. No stable program can name it.
            Some("StructuralPartialEq") => {}
            Some(name) => {
                self.api.items.insert(format!("impl {name} for {path}"));
                for id in inner["items"].as_array().into_iter().flatten() {
                    if let Some(item) = self.get(id) {
                        self.mentions(&item["inner"], path);
                    }
                }
            }
        }
    }

    fn implementations(&mut self, ids: &Value, path: &str) {
        for id in ids.as_array().into_iter().flatten() {
            if let Some(item) = self.get(id) {
                self.mentions(&item["inner"]["impl"], path);
            }
        }
    }

    /// Records all paths in a type, a signature or a bound. Does not follow the ids of other items.
    fn mentions(&mut self, value: &Value, place: &str) {
        match value {
            Value::Object(members) => {
                if members.get("path").is_some_and(Value::is_string)
                    && let Some(id) = members.get("id")
                {
                    self.mention(id, place);
                }
                members
                    .values()
                    .for_each(|value| self.mentions(value, place));
            }
            Value::Array(values) => values.iter().for_each(|value| self.mentions(value, place)),
            _ => {}
        }
    }

    fn mention(&mut self, id: &Value, place: &str) {
        let Some(path) = self.json["paths"].get(id.to_string()) else {
            return;
        };
        let krate = &self.json["external_crates"][path["crate_id"].to_string()]["name"];
        let (Some(krate), Some(parts)) = (krate.as_str(), path["path"].as_array()) else {
            return;
        };
        let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
        self.api.foreign.insert(Foreign {
            krate: krate.to_owned(),
            name: parts.join("::"),
            place: place.to_owned(),
        });
    }
}
