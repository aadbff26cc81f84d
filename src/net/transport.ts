// What the rest of the program knows of a network connection. One implementation a file beside this one; only endpoint.ts
// chooses between them.

/** Who is at the other end and how the bytes got here. */
export interface PeerInfo {
  /** Address for people and logs, without IPv6 brackets; the path for a Unix socket; 'memory' for the in-process pair. */
  readonly address: string;
  /** Port of the other end; 0 where there is none. */
  readonly port: number;
  /** Local port that was connected to (listener side), 0 where there is none. */
  readonly localPort: number;
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix' | 'memory';
  /** TLS facts once the handshake is done; null without TLS. */
  readonly tls: TlsInfo | null;
}

/** What a finished TLS handshake told. */
export interface TlsInfo {
  /** For example 'TLSv1.3'. */
  readonly version: string;
  /** OpenSSL's name, for example 'TLS_AES_256_GCM_SHA384'. */
  readonly cipher: string;
  /** Common name of the verified client certificate; null where none was given. */
  readonly commonName: string | null;
  /** Whole subject of the verified client certificate in RFC 2253 form; null where none was given. */
  readonly subject: string | null;
}

/** Who receives a transport's bytes and events. Calls never nest: none is made from inside a call to the transport. */
export interface TransportSink {
  /** Bytes, to be read as long as the callee likes: the chunk is never written to again. */
  receive(chunk: Buffer): void;
  /** The same with memory that is written to again as soon as the call returns. Who has no such method gets a copy. */
  receiveLent?(chunk: Buffer): void;
  /** The backlog is gone: memory given to write() is free again. */
  writable(): void;
  /** The other side closed its half: nothing more comes, what was written still leaves, and `closed` follows. */
  ended?(): void;
  /** The connection is over; called exactly once, last. `error` is null for an orderly end by either side. */
  closed(error: Error | null): void;
}

/** A connected byte stream. */
export interface Transport {
  readonly info: PeerInfo;
  /** Sets the one receiver; bytes that arrived before are handed over in later loop turns. */
  attach(sink: TransportSink): void;
  /**
   * Takes bytes to send. True means that all of them left or were copied: the caller may reuse the memory at once.
   * False means the transport keeps the memory until `writable()`; more may still be written, and adds to the backlog.
   */
  write(bytes: Buffer): boolean;
  /** Joins the writes up to `uncork` to one system call where the transport can. */
  cork(): void;
  uncork(): void;
  /** Bytes taken by write() that have not left yet. */
  readonly backlog: number;
  /**
   * Tells the size of the largest packet that may come from now on. For transports that gather bytes before they hand them
   * over: what is gathered must keep a bound that follows from it.
   */
  expect?(largest: number): void;
  /** Stops and resumes reading from the peer. */
  pause(): void;
  resume(): void;
  /**
   * Sends what is waiting, then closes.
   * @param patienceMs milliseconds that the other side has to close its own once everything is with the system; where a
   * transport has no end of its own making (WebSocket, memory) it does not count
   */
  end(patienceMs?: number): void;
  /** Closes at once; what is waiting is lost. */
  destroy(error?: Error): void;
}

/** An open listening socket. */
export interface Listener {
  /** The port really bound (port 0 picks one); 0 for a Unix socket. */
  readonly port: number;
  /** Stops accepting; connections that became transports stay, those that were on the way to it are dropped. */
  close(): Promise<void>;
}

/** Accepts a connection of a listener. */
export type Accept = (transport: Transport) => void;

/** Whether a connection from an address is taken through its handshake; else it is closed without a word. */
export type Admit = (address: string) => boolean;

/** Something went wrong with a connection before it became a transport (a failed TLS handshake, a bad upgrade). */
export type AcceptError = (error: Error, address: string, port: number) => void;

/** Opens connections to one place. */
export interface Dialer {
  /** Connects; rejects with the system's or TLS's error. `signal` gives up. */
  dial(signal: AbortSignal): Promise<Transport>;
}
