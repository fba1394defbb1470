import { Socket } from 'node:net';

/** Whoever takes what a connection brings. */
export interface Receiver {
  /** Where the next bytes go. What is there is looked at only by `receive`. */
  readonly room: Buffer;
  /** Takes the bytes between two places of a memory that is its own only for the time of the call. Says whether more may come now. */
  receive(memory: Buffer, start: number, end: number): boolean;
}

/** A socket and the flow of what it brings, which waits after `receive` has said so. */
export interface Inlet {
  readonly socket: Socket;
  /** Starts the flow, or goes on with it. */
  flow(): void;
}

/**
 * Has what a socket brings put where its receiver wants it. Node can do that (`onread` of net.Socket), but not for sockets that a server has
 * accepted: their handle gets a socket of its own, as it does when Node passes one on to another process. Its own way is to make new
 * memory for every read, 64 KiB at most, and the collector's work of them: an upload takes half as long without.
 *
 * Where that can't be done, as with TLS, what came is handed on as it comes.
 */
export function openInlet(accepted: Socket, receiver: Receiver): Inlet {
  const handle = handleOf(accepted);
  return handle === undefined ? new EventInlet(accepted, receiver) : new DirectInlet(accepted, handle, receiver);
}

/** What is needed of a handle; the first says that it can read into a given memory. */
interface Handle {
  useUserBuffer(memory: Uint8Array): void;
  readStop(): void;
  reading: boolean;
}

interface WithHandle {
  _handle: Handle | null | undefined;
}

function handleOf(socket: Socket): Handle | undefined {
  const { _handle: handle } = socket as unknown as WithHandle;
  if ('encrypted' in socket || typeof handle?.useUserBuffer !== 'function') return undefined;
  return handle;
}

class DirectInlet implements Inlet {
  readonly socket: Socket;
  /** What came before it was here. */
  private early: Buffer | undefined;

  constructor(accepted: Socket, handle: Handle, receiver: Receiver) {
    this.early = (accepted.read() as Buffer | null) ?? undefined;
    // It begins anew: the end of what comes may have been seen already, too.
    handle.readStop();
    handle.reading = false;
    (accepted as unknown as WithHandle)._handle = null;
    let room = receiver.room;
    const onread = {
      buffer: () => (room = receiver.room),
      callback: (length: number) => receiver.receive(room, 0, length),
    };
    this.socket = new Socket({ handle, onread, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0]);
    // For everybody else, the one that was accepted is the connection.
    this.socket.on('close', () => accepted.destroy());
    accepted.on('close', () => this.socket.destroy());
    this.receiver = receiver;
  }

  private readonly receiver: Receiver;

  flow(): void {
    const { early } = this;
    this.early = undefined;
    if (early !== undefined && !this.receiver.receive(early, 0, early.length)) this.socket.pause();
    else this.socket.resume();
  }
}

class EventInlet implements Inlet {
  constructor(
    readonly socket: Socket,
    receiver: Receiver,
  ) {
    socket.on('data', (bytes: Buffer) => {
      if (!receiver.receive(bytes, 0, bytes.length)) socket.pause();
    });
    socket.pause();
  }

  flow(): void {
    this.socket.resume();
  }
}
