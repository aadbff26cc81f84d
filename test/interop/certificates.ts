// A small certificate authority made by openssl: a server for localhost, a client called tom, and a stranger's authority.
import path from 'node:path';
import { finish } from '../support/process.ts';

export interface Certificates {
  readonly ca: string;
  /** An authority that signed nothing here. */
  readonly otherCa: string;
  readonly serverCert: string;
  readonly serverKey: string;
  /** Its common name is tom. */
  readonly clientCert: string;
  readonly clientKey: string;
}

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await finish('openssl', args, { cwd: folder });
  if (code !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr}`);
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function makeAuthority(folder: string, name: string): Promise<void> {
  const subject = ['-subj', `/CN=${name} of mqtt-suite tests`];
  await openssl(
    folder,
    'req',
    '-x509',
    ...NEW_KEY,
    '-days',
    '2',
    ...subject,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
  );
}

async function makeSigned(folder: string, name: string, commonName: string, extension: string): Promise<void> {
  const request = ['-subj', `/CN=${commonName}`, '-addext', extension, '-keyout', `${name}.key`, '-out', `${name}.csr`];
  await openssl(folder, 'req', ...NEW_KEY, ...request);
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', '2'];
  await openssl(folder, 'x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.crt`);
}

/** Makes keys and certificates in a folder; they are good for two days. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  await makeAuthority(folder, 'ca');
  await makeAuthority(folder, 'other');
  await makeSigned(folder, 'server', 'localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  await makeSigned(folder, 'client', 'tom', 'extendedKeyUsage=clientAuth');
  const at = (name: string) => path.join(folder, name);
  return {
    ca: at('ca.crt'),
    otherCa: at('other.crt'),
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    clientCert: at('client.crt'),
    clientKey: at('client.key'),
  };
}
