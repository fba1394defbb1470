//! A client of a kloset-gateway: lists, reads a range, writes, and is refused a delete. Run it with the gateway's address.

use std::env;
use std::error::Error;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use store::put_object_request::Part;
use store::store_service_client::StoreServiceClient;
use store::{
    ByteRange, DeleteObjectRequest, GetObjectRequest, ListObjectsRequest, ObjectKind, ObjectRef,
    PutObjectFinish, PutObjectHeader, PutObjectRequest,
};

mod store {
    tonic::include_proto!("kloset.store.v1");
}

type Client = StoreServiceClient<Channel>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("usage: kloset-client HOST:PORT")?;
    let endpoint =
        Endpoint::from_shared(format!("http://{address}"))?.timeout(Duration::from_secs(60));
    let mut client = StoreServiceClient::new(endpoint.connect().await?);

    let packfiles = list(&mut client).await?;
    println!("listed {} packfiles", packfiles.len());

    let first = packfile(packfiles.first().ok_or("there is nothing to read")?);
    let range = ByteRange {
        offset: 0,
        length: 16,
    };
    let bytes = read(&mut client, &first, Some(range)).await?;
    println!(
        "read {} bytes: {}",
        bytes.len(),
        String::from_utf8_lossy(&bytes[..8])
    );

    let mut mac = [0; 32];
    getrandom::fill(&mut mac)?;
    let copy = packfile(&mac);
    let whole = read(&mut client, &first, None).await?;
    let length = whole.len();
    let created = put(&mut client, &copy, whole).await?;
    println!("wrote {length} bytes, created: {created}");

    let request = DeleteObjectRequest {
        r#ref: Some(copy),
        ..Default::default()
    };
    match client.delete_object(request).await {
        Err(status) if status.code() == Code::PermissionDenied => {
            println!("refused: {}", status.message())
        }
        Err(status) => return Err(status.into()),
        Ok(_) => return Err("the delete should have been refused".into()),
    }
    Ok(())
}

fn packfile(mac: &[u8]) -> ObjectRef {
    ObjectRef {
        kind: ObjectKind::Packfile.into(),
        mac: mac.to_vec(),
    }
}

async fn list(client: &mut Client) -> Result<Vec<Vec<u8>>, Status> {
    let request = ListObjectsRequest {
        kind: ObjectKind::Packfile.into(),
        ..Default::default()
    };
    let mut batches = client.list_objects(request).await?.into_inner();
    let mut macs = Vec::new();
    while let Some(batch) = batches.message().await? {
        macs.extend(batch.macs);
    }
    Ok(macs)
}

async fn read(
    client: &mut Client,
    object: &ObjectRef,
    range: Option<ByteRange>,
) -> Result<Vec<u8>, Status> {
    let request = GetObjectRequest {
        r#ref: Some(object.clone()),
        range,
        ..Default::default()
    };
    let mut messages = client.get_object(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(message) = messages.message().await? {
        bytes.extend(message.chunk);
    }
    Ok(bytes)
}

/// Sends the header, the bytes, and the finish: without it nothing is stored.
async fn put(client: &mut Client, object: &ObjectRef, bytes: Vec<u8>) -> Result<bool, Status> {
    let header = PutObjectHeader {
        r#ref: Some(object.clone()),
        ..Default::default()
    };
    let finish = PutObjectFinish {
        length: bytes.len() as u64,
    };
    let parts = [
        Part::Header(header),
        Part::Chunk(bytes),
        Part::Finish(finish),
    ];
    let requests = parts.map(|part| PutObjectRequest { part: Some(part) });
    let response = client.put_object(tokio_stream::iter(requests)).await?;
    Ok(response.into_inner().created)
}
