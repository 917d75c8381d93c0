import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import {
  isGroupError,
  kafkaError,
  kafkaErrorTable,
  protocolErrorType,
} from '../../../../src/consumers/kafka/errors.ts';
import { PipelineError } from '../../../../src/errors.ts';

const require = createRequire(import.meta.url);
const kafkajsErrors = require('kafkajs/src/errors') as Record<string, new (...given: unknown[]) => Error>;
const { createErrorFromCode, errorCodes } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
  errorCodes: readonly { readonly type: string; readonly code: number; readonly retriable: boolean }[];
};

const codeOf = (error: unknown) => kafkaError(error, 'testing').code;
const ofType = (type: string) => createErrorFromCode(errorCodes.find((one) => one.type === type)!.code);

test('every protocol error that kafkajs knows is retried or halts, and what it retries we never halt for, but a missing topic', () => {
  const halted = errorCodes.filter(
    ({ code }) => kafkaError(createErrorFromCode(code), 'testing').disposition === 'halt',
  );
  expect(halted.filter(({ retriable }) => retriable).map(({ type }) => type)).toEqual([
    'UNKNOWN_TOPIC_OR_PARTITION',
    // Of APIs that are not used here.
    'CONCURRENT_TRANSACTIONS',
    'FETCH_SESSION_ID_NOT_FOUND',
    'INVALID_FETCH_SESSION_EPOCH',
    'LISTENER_NOT_FOUND',
    'PREFERRED_LEADER_NOT_AVAILABLE',
    'ELIGIBLE_LEADERS_NOT_AVAILABLE',
    'ELECTION_NOT_NEEDED',
  ]);
});

test('every name of the table exists in kafkajs, Node or here', () => {
  const types = new Set(errorCodes.map(({ type }) => type));
  const own = ['OauthTokenRefused', 'OauthTokenUnavailable', 'RecordBatchUndecodable'];
  const unknown = Object.keys(kafkaErrorTable).filter(
    (name) =>
      !types.has(name) &&
      !(name in kafkajsErrors) &&
      !own.includes(name) &&
      !/^(ERR_|CERT_|UNABLE_|SELF_|DEPTH_)/.test(name),
  );
  expect(unknown).toEqual([]);
});

describe('what is wrapped is found', () => {
  const { KafkaJSNumberOfRetriesExceeded, KafkaJSNonRetriableError, KafkaJSConnectionError, KafkaJSAggregateError } =
    kafkajsErrors;

  test('retries, aggregates, causes', () => {
    const refused = new KafkaJSConnectionError!('Connection error', { code: 'ECONNREFUSED' });
    expect(codeOf(new KafkaJSNumberOfRetriesExceeded!(refused, { retryCount: 1, retryTime: 1 }))).toBe(
      'KAFKA_UNAVAILABLE',
    );
    const denied = ofType('TOPIC_AUTHORIZATION_FAILED');
    expect(codeOf(new KafkaJSNonRetriableError!(denied, { cause: denied }))).toBe('KAFKA_PERMISSION');
    expect(codeOf(new KafkaJSAggregateError!('topics', [denied]))).toBe('KAFKA_PERMISSION');
    expect(protocolErrorType(new KafkaJSNonRetriableError!(denied, { cause: denied }))).toBe(
      'TOPIC_AUTHORIZATION_FAILED',
    );
  });

  test('a connection error is known by its code', () => {
    expect(codeOf(new KafkaJSConnectionError!('x', { code: 'CERT_HAS_EXPIRED' }))).toBe('KAFKA_TLS_FAILED');
  });

  test('a bug is a bug, even if kafkajs wrapped it; what kafkajs refuses for good halts', () => {
    const bug = new TypeError('x is undefined');
    expect(codeOf(bug)).toBe('UNEXPECTED');
    expect(codeOf(new KafkaJSNonRetriableError!(bug, { cause: bug }))).toBe('UNEXPECTED');
    expect(codeOf(new KafkaJSNonRetriableError!('no'))).toBe('KAFKA_REFUSED');
    expect(codeOf('a string')).toBe('UNEXPECTED');
  });

  test('a loop of causes ends', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(codeOf(loop)).toBe('UNEXPECTED');
  });
});

test('what is classified already stays as it is; the message says what was being done', () => {
  const classified = new PipelineError('LEDGER_TIMEOUT', 'x');
  expect(kafkaError(classified, 'testing')).toBe(classified);
  const error = kafkaError(ofType('REQUEST_TIMED_OUT'), 'reading audit.events');
  expect(error.message).toMatch(/^reading audit\.events: /);
  expect(error.cause).toBeInstanceOf(kafkajsErrors['KafkaJSProtocolError']!);
});

test('only the very errors of a group let kafkajs rejoin', () => {
  const rebalance = ofType('REBALANCE_IN_PROGRESS');
  expect(isGroupError(rebalance)).toBe(true);
  expect(isGroupError(new kafkajsErrors['KafkaJSNonRetriableError']!(rebalance, { cause: rebalance }))).toBe(false);
  expect(isGroupError(ofType('NOT_LEADER_FOR_PARTITION'))).toBe(false);
  expect(isGroupError(null)).toBe(false);
});
