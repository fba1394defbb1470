package main

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	storev1 "example.org/kloset-bench/driver/gen/kloset/store/v1"
)

const (
	pieceBytes = 1 << 20
	// How many reads of one ReadRanges call run at a time.
	readers = 8
)

type store struct {
	storev1.UnimplementedStoreServiceServer
	root string
	sync bool
}

func (s *store) path(ref *storev1.ObjectRef) (string, error) {
	if ref.GetKind() != storev1.ObjectKind_OBJECT_KIND_PACKFILE || len(ref.Mac) != 32 {
		return "", status.Error(codes.InvalidArgument, "packfiles only")
	}
	name := hex.EncodeToString(ref.Mac)
	return filepath.Join(s.root, "packfiles", name[:2], name), nil
}

func (s *store) open(ref *storev1.ObjectRef) (*os.File, error) {
	path, err := s.path(ref)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, status.Error(codes.NotFound, "no such packfile")
	}
	return file, err
}

func (s *store) GetObject(request *storev1.GetObjectRequest, stream grpc.ServerStreamingServer[storev1.GetObjectResponse]) error {
	file, err := s.open(request.Ref)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	size := uint64(info.Size())
	header := &storev1.GetObjectHeader{ObjectSize: size, Length: size}
	buffer := make([]byte, pieceBytes)
	for {
		n, err := io.ReadFull(file, buffer)
		if n > 0 || header != nil {
			if err := stream.Send(&storev1.GetObjectResponse{Header: header, Chunk: buffer[:n]}); err != nil {
				return err
			}
			header = nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *store) ReadRanges(stream grpc.BidiStreamingServer[storev1.ReadRangesRequest, storev1.ReadRangesResponse]) error {
	var group errgroup.Group
	group.SetLimit(readers)
	var sending sync.Mutex
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return group.Wait()
		}
		if err != nil {
			return err
		}
		group.Go(func() error {
			response, err := s.answer(request)
			if err != nil {
				return err
			}
			sending.Lock()
			defer sending.Unlock()
			return stream.Send(response)
		})
	}
}

// answer does the reads of one request. It puts all answers into one message:
// the benchmark's reads are few and small enough for that.
func (s *store) answer(request *storev1.ReadRangesRequest) (*storev1.ReadRangesResponse, error) {
	if len(request.Reads) == 0 {
		chunk, err := s.read(request.Ref, request.Range)
		return &storev1.ReadRangesResponse{Tag: request.Tag, Chunk: chunk, Last: true}, err
	}
	response := &storev1.ReadRangesResponse{}
	for _, read := range request.Reads {
		chunk, err := s.read(read.Ref, read.Range)
		if err != nil {
			return nil, err
		}
		response.Answers = append(response.Answers, &storev1.RangeAnswer{Tag: read.Tag, Chunk: chunk, Last: true})
	}
	return response, nil
}

func (s *store) read(ref *storev1.ObjectRef, part *storev1.ByteRange) ([]byte, error) {
	file, err := s.open(ref)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	buffer := make([]byte, part.GetLength())
	n, err := file.ReadAt(buffer, int64(part.GetOffset()))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return buffer[:n], nil
}
