package org.example.kloset;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import kloset.store.v1.Store.ByteRange;
import kloset.store.v1.Store.DeleteObjectRequest;
import kloset.store.v1.Store.GetObjectRequest;
import kloset.store.v1.Store.ListObjectsRequest;
import kloset.store.v1.Store.ObjectKind;
import kloset.store.v1.Store.ObjectRef;
import kloset.store.v1.Store.PutObjectFinish;
import kloset.store.v1.Store.PutObjectHeader;
import kloset.store.v1.Store.PutObjectRequest;
import kloset.store.v1.Store.PutObjectResponse;
import kloset.store.v1.StoreServiceGrpc;

/** A client of a kloset-gateway: lists, reads a range, writes, and is refused a delete. Run it with the gateway's address. */
public final class Client {
  private final ManagedChannel channel;

  private Client(ManagedChannel channel) {
    this.channel = channel;
  }

  public static void main(String[] args) throws Exception {
    ManagedChannel channel = Grpc.newChannelBuilder(args[0], InsecureChannelCredentials.create()).build();
    try {
      new Client(channel).run();
    } finally {
      channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    }
  }

  private void run() throws Exception {
    List<ByteString> packfiles = list();
    System.out.printf("listed %d packfiles%n", packfiles.size());

    ObjectRef first = packfile(packfiles.get(0));
    ByteString start = read(GetObjectRequest.newBuilder().setRef(first).setRange(range(0, 16)).build());
    System.out.printf("read %d bytes: %s%n", start.size(), start.substring(0, 8).toStringUtf8());

    byte[] mac = new byte[32];
    new SecureRandom().nextBytes(mac);
    ObjectRef copy = packfile(ByteString.copyFrom(mac));
    ByteString whole = read(GetObjectRequest.newBuilder().setRef(first).build());
    boolean created = put(copy, whole);
    System.out.printf("wrote %d bytes, created: %b%n", whole.size(), created);

    try {
      blocking().deleteObject(DeleteObjectRequest.newBuilder().setRef(copy).build());
      throw new IllegalStateException("the delete should have been refused");
    } catch (StatusRuntimeException refused) {
      if (refused.getStatus().getCode() != Status.Code.PERMISSION_DENIED) throw refused;
      System.out.printf("refused: %s%n", refused.getStatus().getDescription());
    }
  }

  private List<ByteString> list() {
    var request = ListObjectsRequest.newBuilder().setKind(ObjectKind.OBJECT_KIND_PACKFILE).build();
    var macs = new ArrayList<ByteString>();
    blocking().listObjects(request).forEachRemaining(batch -> macs.addAll(batch.getMacsList()));
    return macs;
  }

  private ByteString read(GetObjectRequest request) {
    var chunks = new ArrayList<ByteString>();
    blocking().getObject(request).forEachRemaining(message -> chunks.add(message.getChunk()));
    return ByteString.copyFrom(chunks);
  }

  /** Sends the header, the bytes, and the finish: without it nothing is stored. */
  private boolean put(ObjectRef ref, ByteString bytes) throws Exception {
    var answer = new Answer();
    var upload = StoreServiceGrpc.newStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS).putObject(answer);
    upload.onNext(PutObjectRequest.newBuilder().setHeader(PutObjectHeader.newBuilder().setRef(ref)).build());
    upload.onNext(PutObjectRequest.newBuilder().setChunk(bytes).build());
    upload.onNext(PutObjectRequest.newBuilder().setFinish(PutObjectFinish.newBuilder().setLength(bytes.size())).build());
    upload.onCompleted();
    return answer.response.get().getCreated();
  }

  private StoreServiceGrpc.StoreServiceBlockingStub blocking() {
    return StoreServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private static ObjectRef packfile(ByteString mac) {
    return ObjectRef.newBuilder().setKind(ObjectKind.OBJECT_KIND_PACKFILE).setMac(mac).build();
  }

  private static ByteRange range(long offset, int length) {
    return ByteRange.newBuilder().setOffset(offset).setLength(length).build();
  }

  /** What the gateway answers to an upload: its response, or its status as the reason of the failure. */
  private static final class Answer implements StreamObserver<PutObjectResponse> {
    private final CompletableFuture<PutObjectResponse> response = new CompletableFuture<>();

    @Override
    public void onNext(PutObjectResponse value) {
      response.complete(value);
    }

    @Override
    public void onError(Throwable status) {
      response.completeExceptionally(status);
    }

    @Override
    public void onCompleted() {}
  }
}
