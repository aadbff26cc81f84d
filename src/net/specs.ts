// What the transports are told: where to listen and where to dial. Contents of certificates and keys, never file names.
import type { SrvRecord } from 'node:dns';

/** PEM text, DER bytes or several of them. */
type Pem = string | Buffer | readonly (string | Buffer)[];

/** TLS of a listener. */
export interface TlsListenOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly passphrase?: string;
  /** Certificates that client certificates must lead to. Without them no client certificate is trusted. */
  readonly ca?: Pem;
  /** Revocation lists for client certificates. */
  readonly crl?: string | Buffer | readonly (string | Buffer)[];
  /** Asks clients for a certificate. */
  readonly requestCertificate?: boolean;
  /** Refuses clients without a certificate that verifies; only with `requestCertificate`. */
  readonly requireCertificate?: boolean;
  readonly ciphers?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly alpn?: readonly string[];
  /** Milliseconds for a handshake; default 30,000. */
  readonly handshakeTimeoutMs?: number;
  /** Receives key log lines (SSLKEYLOGFILE format). */
  readonly keylog?: (line: Buffer) => void;
}

/** WebSocket side of a listener. The path of a request does not matter. */
export interface WebSocketListenOptions {
  /** Values of the Origin header that are let in; undefined or empty lets every one in. */
  readonly origins?: readonly string[];
  /** Most bytes of the request's headers; default 4,096. */
  readonly headersSize?: number;
  /** Milliseconds from the connection to the whole upgrade request; default 10,000. */
  readonly upgradeTimeoutMs?: number;
  /** Most bytes of one WebSocket message; the longest MQTT packet by default. */
  readonly maxPayload?: number;
}

/** Where and how to listen. */
export interface ListenSpec {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix';
  /** Name or address to bind; undefined opens all interfaces, one IPv4 and one IPv6 socket. */
  readonly host?: string | undefined;
  /** 0 picks a free port. Ignored for 'unix'. */
  readonly port: number;
  /** Path of the Unix socket. */
  readonly path?: string | undefined;
  /** Binds only addresses of this family. */
  readonly family?: 4 | 6 | undefined;
  /** Needed for 'tls' and 'wss'. */
  readonly tls?: TlsListenOptions | undefined;
  readonly ws?: WebSocketListenOptions | undefined;
  /** TCP_NODELAY on accepted connections; default true. */
  readonly noDelay?: boolean | undefined;
  /** Length of the kernel's queue of connections that wait to be accepted. */
  readonly backlog?: number | undefined;
}

/** A key that both sides know, instead of certificates. */
export interface PskOptions {
  /** Names the key to the server. */
  readonly identity: string;
  readonly key: Buffer;
}

/** TLS towards a server. */
export interface TlsDialOptions {
  /** Certificates to trust instead of Node's own list; null and undefined trust that list. */
  readonly ca?: Pem | null;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** False accepts any certificate and any host name. */
  readonly verify?: boolean;
  readonly alpn?: readonly string[];
  readonly ciphers?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** No certificate counts with it: `ca`, `cert`, `key` and `verify` are without meaning. */
  readonly psk?: PskOptions;
  /** Name to expect in the certificate and to send as SNI; the host by default. */
  readonly servername?: string;
  /** Receives key log lines (SSLKEYLOGFILE format). */
  readonly keylog?: (line: Buffer) => void;
}

/** A SOCKS5 proxy on the way to a server. */
export interface ProxySpec {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** Looks the server's name up here; without it the proxy does. */
  readonly resolvesHere?: boolean;
}

/** Brokers named by SRV records of DNS. */
export interface SrvOptions {
  /** Looks a name such as `_mqtt._tcp.example.org` up; by default the name servers of the process are asked. */
  readonly resolve?: (name: string) => Promise<readonly SrvRecord[]>;
}

/** Where and how to dial. The client's `Endpoint` fits. */
export interface DialSpec {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'wss' | 'unix';
  /** Host name or address; the path for 'unix'. */
  readonly host: string;
  readonly port: number;
  /** Path of the WebSocket request; default '/mqtt'. */
  readonly path?: string;
  readonly localAddress?: string;
  readonly tls?: TlsDialOptions;
  /** Without meaning for 'unix'. */
  readonly proxy?: ProxySpec;
  /** The host is a domain whose SRV records name the places to dial; the port does not count. Without meaning for 'unix'. */
  readonly srv?: SrvOptions;
  /** TCP_NODELAY; default true. */
  readonly noDelay?: boolean;
}
