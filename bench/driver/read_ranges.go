package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	storev1 "example.org/kloset-bench/driver/gen/kloset/store/v1"
)

// readRanges does all of the job's small reads on one stream: it sends requests
// without waiting for answers.
func readRanges(job Job) (Outcome, error) {
	all, err := sections(job)
	if err != nil {
		return Outcome{}, err
	}
	requests := rangeRequests(all[:job.Ops], job.Together)
	read := readWithRawCall
	if job.Client == clientGo {
		read = readWithGrpcGo
	}
	outcome, err := read(job, requests)
	if err == nil && outcome.Ops != job.Ops {
		err = fmt.Errorf("%d answers to %d reads", outcome.Ops, job.Ops)
	}
	var want int64
	for _, s := range all[:job.Ops] {
		want += s.length
	}
	if err == nil && outcome.Bytes != want {
		err = fmt.Errorf("%d bytes instead of %d", outcome.Bytes, want)
	}
	return outcome, err
}

// rangeRequests are the messages that request sections, so many in each; with
// 0, each has a message of its own, which gets answers of its own.
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

func readWithGrpcGo(job Job, requests []*storev1.ReadRangesRequest) (outcome Outcome, err error) {
	client, closeConn, err := connect(job)
	if err != nil {
		return outcome, err
	}
	defer closeConn()
	start := time.Now()
	stream, err := client.ReadRanges(context.Background())
	if err != nil {
		return outcome, err
	}
	go func() {
		for _, request := range requests {
			if stream.Send(request) != nil {
				return // Recv returns the reason.
			}
		}
		stream.CloseSend()
	}()
	count := func(chunk []byte, last bool, failure *storev1.ReadError) {
		if failure != nil {
			err = errors.New(failure.Message)
		}
		outcome.Bytes += int64(len(chunk))
		if last {
			outcome.Ops++
		}
	}
	for {
		piece, end := stream.Recv()
		if errors.Is(end, io.EOF) {
			outcome.Seconds = time.Since(start).Seconds()
			return outcome, err
		}
		if end != nil {
			return outcome, end
		}
		count(piece.Chunk, piece.Last, piece.Error)
		for _, answer := range piece.Answers {
			count(answer.Chunk, answer.Last, answer.Error)
		}
	}
}

// readWithRawCall spends as little CPU as a rawConn does over HTTP: it counts
// the answers in the buffer that they arrive in.
func readWithRawCall(job Job, requests []*storev1.ReadRangesRequest) (outcome Outcome, err error) {
	messages := make([][]byte, len(requests))
	for i, request := range requests {
		if messages[i], err = proto.Marshal(request); err != nil {
			return outcome, err
		}
	}
	start := time.Now()
	call, err := startCall(job.Address, storev1.StoreService_ReadRanges_FullMethodName)
	if err != nil {
		return outcome, err
	}
	defer call.close()
	sent := make(chan error, 1)
	go func() { sent <- call.send(messages) }()
	if err := call.receive(func(message []byte) error { return countAnswers(message, &outcome) }); err != nil {
		return outcome, err
	}
	outcome.Seconds = time.Since(start).Seconds()
	return outcome, <-sent
}

// The fields of a ReadRangesResponse, and of each RangeAnswer in it.
const (
	chunkField   = 2
	lastField    = 3
	errorField   = 4
	answersField = 5
)

func countAnswers(message []byte, outcome *Outcome) error {
	for len(message) > 0 {
		field, kind, tagSize := protowire.ConsumeTag(message)
		if tagSize < 0 {
			return protowire.ParseError(tagSize)
		}
		size := protowire.ConsumeFieldValue(field, kind, message[tagSize:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		value := message[tagSize : tagSize+size]
		message = message[tagSize+size:]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		switch field {
		case chunkField:
			outcome.Bytes += int64(len(value))
		case lastField:
			outcome.Ops++
		case errorField:
			return fmt.Errorf("a read failed: %q", value)
		case answersField:
			if err := countAnswers(value, outcome); err != nil {
				return err
			}
		}
	}
	return nil
}
