import { setFlagsFromString } from 'node:v8';

/*
 * Flags of V8's garbage collector, which have to be set before anything else is loaded. Bodies are in buffers outside of V8's heap; as they
 * come and go V8 starts to mark its heap incrementally, over and over, though the heap itself is small and marked within milliseconds.
 * Measured for 16 MiB over gRPC: 13 ms of CPU time on Node 20 and 23 ms on Node 24, and 53 and 56 ms without these flags.
 */
setFlagsFromString('--no-incremental-marking');

/* V8 would allocate a request's objects as old ones, to be freed only when the whole heap is marked, with all that they refer to. */
setFlagsFromString('--no-allocation-site-pretenuring');

/* Without incremental marking V8 lets the heap grow far: under small reads over SFTP to 350 MiB and more. */
setFlagsFromString('--heap-growing-percent=50');
