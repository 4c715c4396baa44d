//! Key sets: what they are (`set`), where they are found (`discovery`), when they are fetched and
//! how long they are kept (`cache`), how KV holds them (`stored`), and what names a key by its
//! values (`thumbprint`). What is fetched over the network is fetched by `edge::key_sets`.

pub mod algorithm;
pub mod cache;
pub mod discovery;
pub mod set;
pub mod source;
pub mod stored;
pub mod thumbprint;
