// The thread that a network learns and scores in; see study.ts for its other end.
import { parentPort } from 'node:worker_threads';
import { learn, outputsOf } from './learner.ts';
import type { Answer, Question } from './study.ts';

const answer = (question: Question): Answer['result'] =>
  question.kind === 'learn'
    ? learn(question.examples, question.inputs, question.seed)
    : outputsOf(question.network, question.inputs);

parentPort?.on('message', ({ id, question }: { id: number; question: Question }) => {
  try {
    parentPort?.postMessage({ id, result: answer(question) } satisfies Answer);
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
