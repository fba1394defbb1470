package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	storev1 "example.org/kloset-bench/driver/gen/kloset/store/v1"
)

const pieceBytes = 1 << 20

// connect opens one connection with grpc-go's default settings. All streams
// share it, as in a service.
func connect(job Job) (storev1.StoreServiceClient, func(), error) {
	conn, err := grpc.NewClient("passthrough:///"+job.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	return storev1.NewStoreServiceClient(conn), func() { conn.Close() }, nil
}

func packfile(name string) *storev1.ObjectRef {
	mac, err := hex.DecodeString(name)
	if err != nil {
		panic(err)
	}
	return &storev1.ObjectRef{Kind: storev1.ObjectKind_OBJECT_KIND_PACKFILE, Mac: mac}
}

// grpcGet gets whole objects.
func grpcGet(job Job) (Outcome, error) {
	objects, err := readObjects(job.Objects)
	if err != nil {
		return Outcome{}, err
	}
	return onStreams(job, func(client storev1.StoreServiceClient, n int64) (transfer, error) {
		return get(client, objects[n%int64(len(objects))])
	})
}

func get(client storev1.StoreServiceClient, o object) (moved transfer, err error) {
	start := time.Now()
	stream, err := client.GetObject(context.Background(), &storev1.GetObjectRequest{Ref: packfile(o.name)})
	if err != nil {
		return moved, err
	}
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if moved.bytes != o.size {
				return moved, fmt.Errorf("got %d bytes instead of %d", moved.bytes, o.size)
			}
			return moved, nil
		}
		if err != nil {
			return moved, err
		}
		if moved.firstByte == 0 {
			moved.firstByte = time.Since(start)
		}
		moved.bytes += int64(len(piece.Chunk))
	}
}

// grpcPut puts objects under new names.
func grpcPut(job Job) (Outcome, error) {
	bytes := content(job.Size)
	return onStreams(job, func(client storev1.StoreServiceClient, _ int64) (transfer, error) {
		return transfer{bytes: job.Size}, put(client, randomName(), bytes)
	})
}

func put(client storev1.StoreServiceClient, name string, bytes []byte) error {
	stream, err := client.PutObject(context.Background())
	if err != nil {
		return err
	}
	header := &storev1.PutObjectHeader{Ref: packfile(name)}
	err = stream.Send(&storev1.PutObjectRequest{Part: &storev1.PutObjectRequest_Header{Header: header}})
	for rest := bytes; err == nil && len(rest) > 0; {
		n := min(pieceBytes, len(rest))
		err = stream.Send(&storev1.PutObjectRequest{Part: &storev1.PutObjectRequest_Chunk{Chunk: rest[:n]}})
		rest = rest[n:]
	}
	if err == nil {
		finish := &storev1.PutObjectFinish{Length: uint64(len(bytes))}
		err = stream.Send(&storev1.PutObjectRequest{Part: &storev1.PutObjectRequest_Finish{Finish: finish}})
	}
	// If the server has refused the upload, its answer says why.
	response, answer := stream.CloseAndRecv()
	if answer != nil {
		return answer
	}
	if err == nil && !response.Created {
		return fmt.Errorf("%s existed already", name)
	}
	return err
}

func onStreams(job Job, work func(storev1.StoreServiceClient, int64) (transfer, error)) (Outcome, error) {
	client, closeConn, err := connect(job)
	if err != nil {
		return Outcome{}, err
	}
	defer closeConn()
	workers := make([]worker, job.Connections)
	for i := range workers {
		workers[i] = func(n int64) (transfer, error) { return work(client, n) }
	}
	return pace(job, workers)
}
