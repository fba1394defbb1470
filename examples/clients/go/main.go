// A client of a kloset-gateway: lists, reads a range, writes, and is refused
// a delete. Run it with the gateway's address; generate.sh makes gen/ first.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	storev1 "example.org/kloset-client/gen/kloset/store/v1"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := run(ctx, storev1.NewStoreServiceClient(conn)); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client storev1.StoreServiceClient) error {
	packfiles, err := list(ctx, client)
	if err != nil {
		return err
	}
	fmt.Printf("listed %d packfiles\n", len(packfiles))

	bytes, err := read(ctx, client, packfiles[0], &storev1.ByteRange{Offset: 0, Length: 16})
	if err != nil {
		return err
	}
	fmt.Printf("read %d bytes: %.8s\n", len(bytes), bytes)

	mac := make([]byte, 32)
	rand.Read(mac)
	ref := &storev1.ObjectRef{Kind: storev1.ObjectKind_OBJECT_KIND_PACKFILE, Mac: mac}
	whole, err := read(ctx, client, packfiles[0], nil)
	if err != nil {
		return err
	}
	created, err := put(ctx, client, ref, whole)
	if err != nil {
		return err
	}
	fmt.Printf("wrote %d bytes, created: %t\n", len(whole), created)

	_, err = client.DeleteObject(ctx, &storev1.DeleteObjectRequest{Ref: ref})
	if status.Code(err) != codes.PermissionDenied {
		return fmt.Errorf("the delete should have been refused: %w", err)
	}
	fmt.Printf("refused: %s\n", status.Convert(err).Message())
	return nil
}

func list(ctx context.Context, client storev1.StoreServiceClient) ([][]byte, error) {
	stream, err := client.ListObjects(ctx, &storev1.ListObjectsRequest{Kind: storev1.ObjectKind_OBJECT_KIND_PACKFILE})
	if err != nil {
		return nil, err
	}
	var macs [][]byte
	for {
		batch, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return macs, nil
		}
		if err != nil {
			return nil, err
		}
		macs = append(macs, batch.Macs...)
	}
}

func read(ctx context.Context, client storev1.StoreServiceClient, mac []byte, part *storev1.ByteRange) ([]byte, error) {
	stream, err := client.GetObject(ctx, &storev1.GetObjectRequest{
		Ref:   &storev1.ObjectRef{Kind: storev1.ObjectKind_OBJECT_KIND_PACKFILE, Mac: mac},
		Range: part,
	})
	if err != nil {
		return nil, err
	}
	var bytes []byte
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return bytes, nil
		}
		if err != nil {
			return nil, err
		}
		bytes = append(bytes, message.Chunk...)
	}
}

// put sends the header, the bytes, and the finish: without it nothing is stored.
func put(ctx context.Context, client storev1.StoreServiceClient, ref *storev1.ObjectRef, bytes []byte) (bool, error) {
	stream, err := client.PutObject(ctx)
	if err != nil {
		return false, err
	}
	parts := []*storev1.PutObjectRequest{
		{Part: &storev1.PutObjectRequest_Header{Header: &storev1.PutObjectHeader{Ref: ref}}},
		{Part: &storev1.PutObjectRequest_Chunk{Chunk: bytes}},
		{Part: &storev1.PutObjectRequest_Finish{Finish: &storev1.PutObjectFinish{Length: uint64(len(bytes))}}},
	}
	for _, part := range parts {
		// Where the gateway has refused already, CloseAndRecv says why.
		if err := stream.Send(part); err != nil {
			break
		}
	}
	response, err := stream.CloseAndRecv()
	return response.GetCreated(), err
}
