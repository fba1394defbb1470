"""A client of a kloset-gateway: lists, reads a range, writes, and is refused a delete.

Run it with the gateway's address; generate.sh makes gen/ and .venv first.
"""

import pathlib
import secrets
import sys

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent / "gen"))
from kloset.store.v1 import store_pb2 as pb  # noqa: E402
from kloset.store.v1 import store_pb2_grpc  # noqa: E402


def read(store, mac, part=None):
    ref = pb.ObjectRef(kind=pb.OBJECT_KIND_PACKFILE, mac=mac)
    return b"".join(message.chunk for message in store.GetObject(pb.GetObjectRequest(ref=ref, range=part), timeout=60))


def upload(ref, content):
    """The header, the bytes, and the finish: without it nothing is stored."""
    yield pb.PutObjectRequest(header=pb.PutObjectHeader(ref=ref))
    yield pb.PutObjectRequest(chunk=content)
    yield pb.PutObjectRequest(finish=pb.PutObjectFinish(length=len(content)))


def main(address):
    with grpc.insecure_channel(address) as channel:
        store = store_pb2_grpc.StoreServiceStub(channel)

        batches = store.ListObjects(pb.ListObjectsRequest(kind=pb.OBJECT_KIND_PACKFILE), timeout=60)
        packfiles = [mac for batch in batches for mac in batch.macs]
        print(f"listed {len(packfiles)} packfiles")

        content = read(store, packfiles[0], pb.ByteRange(offset=0, length=16))
        print(f"read {len(content)} bytes: {content[:8].decode()}")

        ref = pb.ObjectRef(kind=pb.OBJECT_KIND_PACKFILE, mac=secrets.token_bytes(32))
        whole = read(store, packfiles[0])
        created = store.PutObject(upload(ref, whole), timeout=60).created
        print(f"wrote {len(whole)} bytes, created: {str(created).lower()}")

        try:
            store.DeleteObject(pb.DeleteObjectRequest(ref=ref), timeout=60)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.PERMISSION_DENIED:
                raise
            print(f"refused: {error.details()}")
        else:
            sys.exit("the delete should have been refused")


main(sys.argv[1])
