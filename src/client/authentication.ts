// Enhanced authentication on one connection (MQTT 5.0 section 4.12): the exchange of AUTH packets in front of CONNACK, and
// the same again later. What the data means is the method's business; here is who may say what when.
import { MAX_STRING } from '../protocol/constants.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { AuthPacket } from '../protocol/packets.ts';
import type { Properties } from '../protocol/properties.ts';
import {
  CONTINUE_AUTHENTICATION,
  NOT_AUTHORIZED,
  PROTOCOL_ERROR,
  REAUTHENTICATE,
  type Reason,
  SUCCESS,
} from '../protocol/reasons.ts';
import { ConnectionLost, InvalidRequest } from './errors.ts';
import type { Authentication } from './options.ts';

/** What an exchange needs of its connection. */
export interface AuthChannel {
  sendAuth(code: number, properties: Properties): void;
  /** Ends the connection: the authentication has failed on our side [MQTT-4.12.1-2]. */
  giveUp(error: ConnectionLost): void;
}

/** The properties that an authentication begins with. */
export function firstProperties({ method, data }: Authentication): Properties {
  const first = typeof data === 'function' ? data() : data;
  return {
    authenticationMethod: method, // [MQTT-4.12.1-1]
    ...(first === undefined ? {} : { authenticationData: first }),
  };
}

function named(method: string, data: Buffer | null): Properties {
  return { authenticationMethod: method, ...(data === null ? {} : { authenticationData: data }) };
}

/** The authentication of one connection. */
export class AuthExchange {
  private readonly authentication: Authentication;
  private readonly channel: AuthChannel;
  private readonly timeoutMs: number;
  private state: 'connecting' | 'idle' | 'again' | 'over';
  /** A step is at work: the broker has to wait for our answer. */
  private isAnswering: boolean;
  private settleAgain: { resolve(): void; reject(error: Error): void } | null;
  private timer: NodeJS.Timeout | null;

  /** @param timeoutMs for a re-authentication; the first one shares the time for connecting */
  constructor(authentication: Authentication, channel: AuthChannel, timeoutMs: number) {
    this.authentication = authentication;
    this.channel = channel;
    this.timeoutMs = timeoutMs;
    this.state = 'connecting';
    this.isAnswering = false;
    this.settleAgain = null;
    this.timer = null;
  }

  /** AUTH came. @throws ProtocolError */
  received({ code, properties }: AuthPacket): void {
    this.checkMethod('AUTH', properties);
    if (this.isAnswering) throw new ProtocolError('AUTH came before the last one was answered');
    if (this.state === 'idle') throw new ProtocolError('AUTH came although no authentication is under way');
    if (code === CONTINUE_AUTHENTICATION.code) {
      this.step(properties, CONTINUE_AUTHENTICATION, (data) => {
        const { method } = this.authentication;
        this.channel.sendAuth(CONTINUE_AUTHENTICATION.code, named(method, data)); // [MQTT-4.12.0-3]
      });
    } else if (code === SUCCESS.code && this.state === 'again') {
      this.step(properties, SUCCESS, () => this.finishAgain());
    } else {
      throw new ProtocolError(`AUTH with reason code 0x${code.toString(16)} must not come from a server now`);
    }
  }

  /** CONNACK admitted us; `done` is called once the method has looked at what came with it. @throws ProtocolError */
  accepted(properties: Properties, done: () => void): void {
    this.checkMethod('CONNACK', properties);
    if (this.isAnswering) throw new ProtocolError('CONNACK came before the last AUTH was answered');
    this.step(properties, SUCCESS, () => {
      this.state = 'idle';
      done();
    });
  }

  /** Begins anew. Rejects with InvalidRequest while another authentication is under way. */
  again(): Promise<void> {
    if (this.state !== 'idle' || this.isAnswering) {
      return Promise.reject(new InvalidRequest(PROTOCOL_ERROR, 'another authentication is under way'));
    }
    return new Promise((resolve, reject) => {
      const properties = firstProperties(this.authentication);
      this.state = 'again';
      this.settleAgain = { resolve, reject };
      this.timer = setTimeout(() => {
        this.channel.giveUp(new ConnectionLost('The broker did not finish the authentication in time', NOT_AUTHORIZED));
      }, this.timeoutMs);
      this.channel.sendAuth(REAUTHENTICATE.code, properties);
    });
  }

  /** The connection is over. */
  close(error: Error): void {
    this.state = 'over';
    if (this.timer !== null) clearTimeout(this.timer);
    this.settleAgain?.reject(error);
    this.settleAgain = null;
  }

  private finishAgain(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.state = 'idle';
    this.settleAgain?.resolve();
    this.settleAgain = null;
  }

  /** [MQTT-4.12.0-5] */
  private checkMethod(packet: string, { authenticationMethod }: Properties): void {
    if (authenticationMethod === this.authentication.method) return;
    const what = authenticationMethod === undefined ? 'no authentication method' : 'another method than CONNECT';
    throw new ProtocolError(`${packet} names ${what}`);
  }

  /** Has the method do its step, at once or later, and goes on unless it fails or the connection is over by then. */
  private step(properties: Properties, reason: Reason, then: (data: Buffer | null) => void): void {
    const fail = (cause: unknown): void => {
      if (this.state === 'over') return;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.channel.giveUp(
        new ConnectionLost(`The authentication was given up: ${error.message}`, NOT_AUTHORIZED, error),
      );
    };
    const proceed = (data: Buffer | null): void => {
      if (data === null || (Buffer.isBuffer(data) && data.length <= MAX_STRING)) then(data);
      else fail(new RangeError(`the data of a step must be null or a Buffer of at most ${MAX_STRING} bytes`));
    };
    let result: Buffer | null | Promise<Buffer | null>;
    try {
      result = this.authentication.step(properties.authenticationData ?? null, reason);
    } catch (error) {
      fail(error);
      return;
    }
    if (!(result instanceof Promise)) {
      proceed(reason === SUCCESS ? null : result);
      return;
    }
    this.isAnswering = true;
    result
      .then((data) => {
        this.isAnswering = false;
        if (this.state !== 'over') proceed(reason === SUCCESS ? null : data);
      })
      .catch(fail);
  }
}
