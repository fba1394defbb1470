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

// connect opens one connection, with grpc-go's own settings: all streams
// share it, as a service's do.
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
	// Where a server has refused already, its answer says why.
	response, answer := stream.CloseAndRecv()
	if answer != nil {
		return answer
	}
	if err == nil && !response.Created {
		return fmt.Errorf("%s was there already", name)
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

// readRanges does all of the job's small reads on one stream: it asks without
// waiting, and is done when the last answer is in.
func readRanges(job Job) (Outcome, error) {
	all, err := sections(job)
	if err != nil {
		return Outcome{}, err
	}
	all = all[:job.Ops]
	requests := rangeRequests(all, job.Together)
	client, closeConn, err := connect(job)
	if err != nil {
		return Outcome{}, err
	}
	defer closeConn()
	start := time.Now()
	stream, err := client.ReadRanges(context.Background())
	if err != nil {
		return Outcome{}, err
	}
	go func() {
		for _, request := range requests {
			if stream.Send(request) != nil {
				return // The receiver learns why.
			}
		}
		stream.CloseSend()
	}()
	outcome := Outcome{}
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Outcome{}, err
		}
		if piece.Error != nil {
			return Outcome{}, errors.New(piece.Error.Message)
		}
		outcome.Bytes += int64(len(piece.Chunk))
		if piece.Last {
			outcome.Ops++
		}
		for _, answer := range piece.Answers {
			if answer.Error != nil {
				return Outcome{}, errors.New(answer.Error.Message)
			}
			outcome.Bytes += int64(len(answer.Chunk))
			if answer.Last {
				outcome.Ops++
			}
		}
	}
	outcome.Seconds = time.Since(start).Seconds()
	if outcome.Ops != job.Ops {
		return Outcome{}, fmt.Errorf("%d answers to %d reads", outcome.Ops, job.Ops)
	}
	return outcome, nil
}

// rangeRequests are the messages that ask for sections, so many in each; 0:
// a message for each, as a client does that takes no answers together.
func rangeRequests(all []section, together int) []*storev1.ReadRangesRequest {
	var requests []*storev1.ReadRangesRequest
	for i, s := range all {
		ref := packfile(s.name)
		part := &storev1.ByteRange{Offset: uint64(s.offset), Length: uint32(s.length)}
		if together == 0 {
			requests = append(requests, &storev1.ReadRangesRequest{Tag: uint64(i), Ref: ref, Range: part})
			continue
		}
		if i%together == 0 {
			requests = append(requests, &storev1.ReadRangesRequest{})
		}
		last := requests[len(requests)-1]
		last.Reads = append(last.Reads, &storev1.RangeRead{Tag: uint64(i), Ref: ref, Range: part})
	}
	return requests
}
