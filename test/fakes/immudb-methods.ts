import * as m from '../../src/sinks/immudb/proto/messages.ts';

/** The methods of ImmuService that the fake serves, by their names on the wire. */
export const fakeMethods = {
  OpenSession: { request: m.openSessionRequest, answer: m.openSessionResponse },
  CloseSession: { request: m.empty, answer: m.empty },
  KeepAlive: { request: m.empty, answer: m.empty },
  Set: { request: m.setRequest, answer: m.txHeader },
  Delete: { request: m.deleteKeysRequest, answer: m.txHeader },
  Get: { request: m.keyRequest, answer: m.entry },
  GetAll: { request: m.keyListRequest, answer: m.entries },
  Scan: { request: m.scanRequest, answer: m.entries },
  History: { request: m.historyRequest, answer: m.entries },
  TxById: { request: m.txRequest, answer: m.tx },
  TxScan: { request: m.txScanRequest, answer: m.txList },
  VerifiableTxById: { request: m.verifiableTxRequest, answer: m.verifiableTx },
  VerifiableGet: { request: m.verifiableGetRequest, answer: m.verifiableEntry },
  CurrentState: { request: m.empty, answer: m.immutableState },
  Health: { request: m.empty, answer: m.healthResponse },
  ServerInfo: { request: m.empty, answer: m.serverInfoResponse },
  CreateDatabaseV2: { request: m.createDatabaseRequest, answer: m.createDatabaseResponse },
  UpdateDatabaseV2: { request: m.updateDatabase, answer: m.updateDatabase },
  DatabaseListV2: { request: m.empty, answer: m.databaseListResponse },
  CreateUser: { request: m.createUserRequest, answer: m.empty },
} as const;

export type FakeMethodName = keyof typeof fakeMethods;

export type RequestOf<N extends FakeMethodName> = ReturnType<(typeof fakeMethods)[N]['request']['decode']>;
export type AnswerOf<N extends FakeMethodName> = Parameters<(typeof fakeMethods)[N]['answer']['encode']>[0];
