// The worker thread of hash-pool.ts: checks one password after the other, away from the thread that moves messages.
import { parentPort } from 'node:worker_threads';
import { wipe } from '../../util/secret.ts';
import type { HashAnswer, HashQuestion } from './hash-pool.ts';
import { verifyHash } from './hashes.ts';

async function answer(question: HashQuestion): Promise<HashAnswer> {
  const password = Buffer.from(question.password.buffer, question.password.byteOffset, question.password.byteLength);
  try {
    return { matches: await verifyHash(password, question.stored) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    wipe(password);
  }
}

parentPort?.on('message', (question: HashQuestion) => {
  answer(question).then(
    (result) => parentPort?.postMessage(result),
    (error) => {
      // Only a bug gets here: end the thread, which the pool notices.
      throw error;
    },
  );
});
