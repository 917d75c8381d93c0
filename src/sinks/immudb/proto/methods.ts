import * as m from './messages.ts';
import type { Message } from './wire.ts';

export type Method<Request, Answer> = {
  readonly name: string;
  readonly path: string;
  readonly encode: (request: Request) => Buffer;
  /** Throws when the bytes are not the method's answer. */
  readonly decode: (bytes: Buffer) => Answer;
};

const method = <ReqOut, Req, Ans, AnsIn>(
  name: string,
  request: Message<ReqOut, Req>,
  answer: Message<Ans, AnsIn>,
): Method<Req, Ans> => ({
  name,
  path: `/immudb.schema.ImmuService/${name}`,
  encode: (value) => request.encode(value),
  decode: (bytes) => answer.decode(bytes),
});

/** The unary calls of immudb's ImmuService that this project makes. */
export const methods = {
  openSession: method('OpenSession', m.openSessionRequest, m.openSessionResponse),
  closeSession: method('CloseSession', m.empty, m.empty),
  keepAlive: method('KeepAlive', m.empty, m.empty),
  /** Its request is already serialised: see `encodeSetRequest`. */
  set: { ...method('Set', m.empty, m.txHeader), encode: (request: Buffer) => request },
  get: method('Get', m.keyRequest, m.entry),
  getAll: method('GetAll', m.keyListRequest, m.entries),
  scan: method('Scan', m.scanRequest, m.entries),
  history: method('History', m.historyRequest, m.entries),
  txById: method('TxById', m.txRequest, m.tx),
  txScan: method('TxScan', m.txScanRequest, m.txList),
  verifiableTxById: method('VerifiableTxById', m.verifiableTxRequest, m.verifiableTx),
  verifiableGet: method('VerifiableGet', m.verifiableGetRequest, m.verifiableEntry),
  currentState: method('CurrentState', m.empty, m.immutableState),
  health: method('Health', m.empty, m.healthResponse),
  serverInfo: method('ServerInfo', m.empty, m.serverInfoResponse),
  createDatabase: method('CreateDatabaseV2', m.createDatabaseRequest, m.createDatabaseResponse),
  updateDatabase: method('UpdateDatabaseV2', m.updateDatabase, m.updateDatabase),
  databaseList: method('DatabaseListV2', m.empty, m.databaseListResponse),
  createUser: method('CreateUser', m.createUserRequest, m.empty),
};
