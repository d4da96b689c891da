//! Encoded schemas by name, in memory or in a file.
//!
//! The file is a fixed head, an index, and the blobs one after the other: to use one type, the index and one blob are read.
//! It is written beside its place and then moved there, so that any number of processes may read and write it at once; a
//! file that is damaged, cut or of another layout counts as absent.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use plumb_provider_protocol::Version;
use plumb_provider_protocol::messages::{
    ActionSchema, GetProviderSchemaResponse, GetResourceIdentitySchemasResponse, ServerCapabilities,
};
use prost::Message;
use sha2::{Digest as _, Sha256};

/// The first bytes of a file; the last one counts layouts.
const MAGIC: [u8; 8] = *b"plumbsc\x01";
/// Magic, length of the index, checksum of the index.
const HEAD: usize = 8 + 4 + 32;

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum Category {
    /// The provider's configuration; its name is empty.
    Provider = 0,
    /// The `provider_meta` block; its name is empty.
    ProviderMeta = 1,
    /// A managed resource type.
    Resource = 2,
    /// A data source.
    DataSource = 3,
    /// An ephemeral resource type.
    Ephemeral = 4,
    /// A function.
    Function = 5,
    /// The identity of a managed resource type.
    Identity = 6,
    /// The listing of a managed resource type.
    List = 7,
    /// An action.
    Action = 8,
}

impl Category {
    /// A thing of this category in words.
    pub fn describe(self, name: &str) -> String {
        match self {
            Category::Provider => "provider configuration".into(),
            Category::ProviderMeta => "`provider_meta`".into(),
            Category::Resource => format!("resource type `{name}`"),
            Category::DataSource => format!("data source `{name}`"),
            Category::Ephemeral => format!("ephemeral resource type `{name}`"),
            Category::Function => format!("function `{name}`"),
            Category::Identity => format!("identity of resource type `{name}`"),
            Category::List => format!("listing of resource type `{name}`"),
            Category::Action => format!("action `{name}`"),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct Index {
    #[prost(uint64, tag = "1")]
    protocol: u64,
    #[prost(message, optional, tag = "2")]
    capabilities: Option<ServerCapabilities>,
    #[prost(message, repeated, tag = "3")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(enumeration = "Category", tag = "1")]
    category: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, tag = "3")]
    length: u64,
}

/// Where a blob lies, relative to the first.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    length: usize,
}

enum Blobs {
    Memory(Vec<u8>),
    File { file: File, start: u64 },
}

/// The encoded schemas of one provider.
pub struct Store {
    version: Version,
    capabilities: ServerCapabilities,
    places: BTreeMap<Category, BTreeMap<String, Place>>,
    blobs: Blobs,
}

impl Store {
    /// What a plugin answered.
    pub fn from_answers(
        version: Version,
        schema: GetProviderSchemaResponse,
        identities: GetResourceIdentitySchemasResponse,
    ) -> Store {
        let mut store = Store {
            version,
            capabilities: schema.server_capabilities.unwrap_or_default(),
            places: BTreeMap::new(),
            blobs: Blobs::Memory(Vec::new()),
        };
        let single = |blob: Option<Vec<u8>>| blob.map(|b| (String::new(), b)).into_iter().collect();
        let actions = schema.action_schemas.into_iter().map(|(name, bytes)| {
            // One layer more than others; bytes that are no such message are reported when they are used.
            let inner = ActionSchema::decode(bytes.as_slice()).ok().and_then(|action| action.schema);
            (name, inner.unwrap_or(bytes))
        });
        let identities = identities.identity_schemas.into_iter().map(|(name, s)| (name, s.encode_to_vec()));
        store.add(Category::Provider, single(schema.provider));
        store.add(Category::ProviderMeta, single(schema.provider_meta));
        store.add(Category::Resource, schema.resource_schemas);
        store.add(Category::DataSource, schema.data_source_schemas);
        store.add(Category::Ephemeral, schema.ephemeral_resource_schemas);
        store.add(Category::Function, schema.functions);
        store.add(Category::Identity, identities.collect());
        store.add(Category::List, schema.list_resource_schemas);
        store.add(Category::Action, actions.collect());
        store
    }

    fn add(&mut self, category: Category, blobs: BTreeMap<String, Vec<u8>>) {
        let Blobs::Memory(all) = &mut self.blobs else { return };
        let places = self.places.entry(category).or_default();
        for (name, blob) in blobs {
            places.insert(name, Place { offset: all.len() as u64, length: blob.len() });
            all.extend_from_slice(&blob);
        }
    }

    /// The protocol that the schemas are encoded in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What the plugin said it can do.
    pub fn capabilities(&self) -> ServerCapabilities {
        self.capabilities
    }

    /// Whether there is such a schema.
    pub fn contains(&self, category: Category, name: &str) -> bool {
        self.place(category, name).is_some()
    }

    /// The names of a category, sorted.
    pub fn names(&self, category: Category) -> impl Iterator<Item = &str> {
        self.places.get(&category).into_iter().flat_map(|places| places.keys().map(String::as_str))
    }

    fn place(&self, category: Category, name: &str) -> Option<Place> {
        self.places.get(&category)?.get(name).copied()
    }

    /// An encoded schema, if there is such.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&self, category: Category, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(Place { offset, length }) = self.place(category, name) else { return Ok(None) };
        match &self.blobs {
            Blobs::Memory(all) => {
                let start = usize::try_from(offset).map_err(io::Error::other)?;
                Ok(all.get(start..start + length).map(<[u8]>::to_vec))
            }
            Blobs::File { file, start } => {
                let mut blob = vec![0; length];
                file.read_exact_at(&mut blob, start + offset)?;
                Ok(Some(blob))
            }
        }
    }

    /// Writes what is in memory to a file.
    ///
    /// # Errors
    /// If the file cannot be written; what was there before then stays.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let Blobs::Memory(blobs) = &self.blobs else { return Ok(()) };
        let mut entries: Vec<(Place, Entry)> = Vec::new();
        for (category, places) in &self.places {
            entries.extend(places.iter().map(|(name, place)| {
                let length = place.length as u64;
                (*place, Entry { category: (*category).into(), name: name.clone(), length })
            }));
        }
        entries.sort_by_key(|(place, _)| place.offset);
        let index = Index {
            protocol: self.version.number(),
            capabilities: Some(self.capabilities),
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
        }
        .encode_to_vec();
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&MAGIC)?;
        file.write_all(&u32::try_from(index.len()).map_err(io::Error::other)?.to_be_bytes())?;
        file.write_all(&Sha256::digest(&index))?;
        file.write_all(&index)?;
        file.write_all(blobs)?;
        file.persist(path)?;
        Ok(())
    }

    /// Reads the index of a file; `None` if there is no such file, or not a whole one.
    pub fn open(path: &Path) -> Option<Store> {
        let mut file = File::open(path).ok()?;
        let mut head = [0; HEAD];
        file.read_exact(&mut head).ok()?;
        let (magic, rest) = head.split_first_chunk::<8>()?;
        let (length, checksum) = rest.split_first_chunk::<4>()?;
        let length = u64::from(u32::from_be_bytes(*length));
        let size = file.metadata().ok()?.len();
        let start = HEAD as u64 + length;
        if *magic != MAGIC || start > size {
            return None;
        }
        let mut index = vec![0; usize::try_from(length).ok()?];
        file.read_exact(&mut index).ok()?;
        if Sha256::digest(&index).as_slice() != checksum {
            return None;
        }
        let index = Index::decode(index.as_slice()).ok()?;
        let mut places: BTreeMap<Category, BTreeMap<String, Place>> = BTreeMap::new();
        let mut offset = 0;
        for entry in index.entries {
            let category = Category::try_from(entry.category).ok()?;
            let length = usize::try_from(entry.length).ok()?;
            places.entry(category).or_default().insert(entry.name, Place { offset, length });
            offset += entry.length;
        }
        (start + offset == size).then_some(Store {
            version: Version::from_number(index.protocol)?,
            capabilities: index.capabilities.unwrap_or_default(),
            places,
            blobs: Blobs::File { file, start },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Store {
        let schemas = [("a".to_owned(), vec![1, 2, 3]), ("b".to_owned(), vec![])].into();
        let schema = GetProviderSchemaResponse {
            provider: Some(vec![9]),
            resource_schemas: schemas,
            server_capabilities: Some(ServerCapabilities { plan_destroy: true, ..Default::default() }),
            ..Default::default()
        };
        Store::from_answers(Version::V5, schema, Default::default())
    }

    #[test]
    fn a_file_gives_what_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/schemas");
        assert!(Store::open(&path).is_none());
        sample().save(&path).unwrap();
        let store = Store::open(&path).unwrap();
        assert_eq!(store.version(), Version::V5);
        assert!(store.capabilities().plan_destroy);
        assert_eq!(store.names(Category::Resource).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(store.read(Category::Resource, "a").unwrap(), Some(vec![1, 2, 3]));
        assert_eq!(store.read(Category::Resource, "b").unwrap(), Some(vec![]));
        assert_eq!(store.read(Category::Provider, "").unwrap(), Some(vec![9]));
        assert_eq!(store.read(Category::DataSource, "a").unwrap(), None);
    }

    #[test]
    fn a_damaged_file_counts_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schemas");
        sample().save(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in [0, 9, 20, HEAD] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Store::open(&path).is_none(), "byte {at}");
        }
        for length in [0, 10, HEAD + 3, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Store::open(&path).is_none(), "cut at {length}");
        }
    }
}
