//! Generates the client's code from the gateway's proto files, which generate.sh has put into one file.

use std::error::Error;
use std::fs;

use prost::Message;
use prost_types::FileDescriptorSet;

const DESCRIPTORS: &str = "descriptors.binpb";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={DESCRIPTORS}");
    let descriptors = FileDescriptorSet::decode(fs::read(DESCRIPTORS)?.as_slice())?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
