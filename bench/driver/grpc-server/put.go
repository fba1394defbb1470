package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	storev1 "example.org/kloset-bench/driver/gen/kloset/store/v1"
)

// PutObject writes to a temporary file and links it into place, as the gateway
// does, so that an object is either complete or absent.
func (s *store) PutObject(stream grpc.ClientStreamingServer[storev1.PutObjectRequest, storev1.PutObjectResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	path, err := s.path(first.GetHeader().GetRef())
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Join(s.root, "packfiles"), "tmp.*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := receive(stream, file); err != nil {
		return err
	}
	if s.sync {
		if err := file.Sync(); err != nil {
			return err
		}
	}
	err = os.Link(file.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return status.Error(codes.AlreadyExists, "an object of that name exists")
	}
	if err == nil && s.sync {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	return stream.SendAndClose(&storev1.PutObjectResponse{Created: true})
}

func receive(stream grpc.ClientStreamingServer[storev1.PutObjectRequest, storev1.PutObjectResponse], file io.Writer) error {
	var length uint64
	for {
		request, err := stream.Recv()
		if err != nil {
			return err // io.EOF, too: the upload was cut off
		}
		switch part := request.Part.(type) {
		case *storev1.PutObjectRequest_Chunk:
			if _, err := file.Write(part.Chunk); err != nil {
				return err
			}
			length += uint64(len(part.Chunk))
		case *storev1.PutObjectRequest_Finish:
			if part.Finish.Length != length {
				return status.Error(codes.InvalidArgument, "the length doesn't match")
			}
			return nil
		default:
			return status.Error(codes.InvalidArgument, "a header is allowed at the start only")
		}
	}
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
