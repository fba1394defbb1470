package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A transfer is what one operation moved, and how long its first byte took.
type transfer struct {
	bytes     int64
	firstByte time.Duration
}

// A worker does operation n, one at a time.
type worker func(n int64) (transfer, error)

// pace runs the workers until the job's time is over or its count is reached,
// and sums up. Operations that run at that moment are finished and counted.
func pace(job Job, workers []worker) (Outcome, error) {
	var next atomic.Int64
	var group sync.WaitGroup
	runs := make([]sample, len(workers))
	start := time.Now()
	end := start.Add(time.Duration(job.Seconds * float64(time.Second)))
	for i, work := range workers {
		group.Go(func() {
			runs[i] = repeat(work, func() (int64, bool) {
				n := next.Add(1) - 1
				if job.Ops > 0 {
					return n, n < job.Ops
				}
				return n, time.Now().Before(end)
			})
		})
	}
	group.Wait()
	seconds := time.Since(start).Seconds()

	var all sample
	var failures []error
	for _, run := range runs {
		all.add(run)
		failures = append(failures, run.err)
	}
	if err := errors.Join(failures...); err != nil {
		return Outcome{}, err
	}
	return Outcome{
		Ops:         int64(len(all.times)),
		Bytes:       all.bytes,
		Seconds:     seconds,
		P50Ms:       percentile(all.times, 0.5),
		P99Ms:       percentile(all.times, 0.99),
		FirstByteMs: percentile(all.firstBytes, 0.5),
	}, nil
}

// A sample is what one worker did, or all of them.
type sample struct {
	bytes      int64
	times      []time.Duration
	firstBytes []time.Duration
	err        error
}

func repeat(work worker, next func() (int64, bool)) (s sample) {
	for {
		n, more := next()
		if !more {
			return s
		}
		start := time.Now()
		moved, err := work(n)
		if err != nil {
			s.err = err
			return s
		}
		s.bytes += moved.bytes
		s.times = append(s.times, time.Since(start))
		s.firstBytes = append(s.firstBytes, moved.firstByte)
	}
}

func (s *sample) add(other sample) {
	s.bytes += other.bytes
	s.times = append(s.times, other.times...)
	s.firstBytes = append(s.firstBytes, other.firstBytes...)
}

// percentile returns milliseconds.
func percentile(times []time.Duration, part float64) float64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return float64(times[int(float64(len(times)-1)*part)].Microseconds()) / 1000
}
