// Handles of operations, and who waits on them.
//
//   const scope = new HandleScope(callbacks);
//   const approval = scope.handle({name: 'approval', index: 0});   // before anything has run
//   scope.follow(record);                                          // from now on it shows this run
//   await approval.waitForData(WaitingOperationStatus.SUBMITTED);
import type {
  ErrorObject,
  Operation,
  OperationStatus,
  OperationSubType,
} from '@aws/durable-execution-sdk-js';
import {WaitingOperationStatus} from './enums';
import {type ExecutionRecord, isTerminal, type RecordedOperation} from './execution_record';
import {parseOrText, resultErrorOf} from './test_result';
import type {CallbackDetails, DurableOperation} from './types';

// Exactly one kind: the id; or the n-th of a name; or the n-th of all.
export type Selector = {id: string} | {name: string; index: number} | {index: number};

export interface CallbackSender {
  sendCallbackSuccess(callbackId: string, result?: string): Promise<unknown>;
  sendCallbackFailure(callbackId: string, error?: ErrorObject): Promise<unknown>;
  sendCallbackHeartbeat(callbackId: string): Promise<unknown>;
}

interface Waiter {
  isMet(): boolean;
  resolve(): void;
  reject(): void;
}

function find(record: ExecutionRecord | undefined, selector: Selector) {
  if ('id' in selector) return record?.byId(selector.id);
  if ('name' in selector) return record?.byName(selector.name, selector.index);
  return record?.byIndex(selector.index);
}

function describeSelector(selector: Selector): string {
  if ('id' in selector) return selector.id;
  const {index} = selector;
  if (!('name' in selector)) return `number ${index}`;
  return index === 0 ? `"${selector.name}"` : `"${selector.name}" number ${index}`;
}

// The handles of one runner, until it is reset.
export class HandleScope {
  private record: ExecutionRecord | undefined;
  private waiters: Waiter[] = [];
  private isOver = false;

  constructor(readonly sender: CallbackSender) {}

  get hasWaiters(): boolean {
    return this.waiters.length > 0;
  }

  follow(record: ExecutionRecord) {
    this.record = record;
    this.isOver = false;
  }

  handle(selector: Selector): OperationHandle {
    return new OperationHandle(this, () => find(this.record, selector), describeSelector(selector));
  }

  // Of what is recorded in this run.
  handleOf(recorded: RecordedOperation): OperationHandle {
    const {Id: id = '', Name: name} = recorded.operation;
    return new OperationHandle(this, () => recorded, name === undefined ? id : `"${name}"`);
  }

  childrenOf(id: string): RecordedOperation[] {
    return this.record?.childrenOf(id) ?? [];
  }

  wait(isMet: () => boolean, failure: Error): Promise<void> {
    if (isMet()) return Promise.resolve();
    if (this.isOver) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      this.waiters.push({isMet, resolve, reject: () => reject(failure)});
    });
  }

  // Events have been added to the record.
  changed() {
    const met = this.waiters.filter((waiter) => waiter.isMet());
    this.waiters = this.waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve();
  }

  // Nothing more comes of `record`.
  ended(record: ExecutionRecord) {
    if (this.record !== record) return;
    this.isOver = true;
    for (const waiter of this.waiters.splice(0)) waiter.reject();
  }
}

export class OperationHandle implements DurableOperation {
  constructor(
    private readonly scope: HandleScope,
    private readonly find: () => RecordedOperation | undefined,
    private readonly description: string,
  ) {}

  async waitForData(status = WaitingOperationStatus.STARTED): Promise<this> {
    const failure = new Error(
      `The execution ended, and operation ${this.description} was not ${status}: it has not run, or ` +
        'the test waits for another operation.',
    );
    await this.scope.wait(() => this.isAsFarAs(status), failure);
    return this;
  }

  getContextDetails() {
    const details = this.detailsOf('CONTEXT')?.ContextDetails;
    return details && {result: parseOrText(details.Result), error: resultErrorOf(details.Error)};
  }

  getStepDetails() {
    const details = this.detailsOf('STEP')?.StepDetails;
    return (
      details && {
        attempt: details.Attempt,
        nextAttemptTimestamp: details.NextAttemptTimestamp,
        result: parseOrText(details.Result),
        error: resultErrorOf(details.Error),
      }
    );
  }

  getChainedInvokeDetails() {
    const details = this.detailsOf('CHAINED_INVOKE')?.ChainedInvokeDetails;
    return details && {result: parseOrText(details.Result), error: resultErrorOf(details.Error)};
  }

  getCallbackDetails(): CallbackDetails<any> | undefined {
    const data = this.getOperationData();
    if (data === undefined) return undefined;
    const callback = this.isWaitForCallback() ? this.callbackInside() : data;
    if (callback.Type !== 'CALLBACK')
      throw new Error(`Operation type ${data.Type}, sub type ${data.SubType}, is not CALLBACK`);
    const details = callback.CallbackDetails!;
    return {
      callbackId: details.CallbackId!,
      result: parseOrText(details.Result),
      error: resultErrorOf(details.Error),
    };
  }

  getWaitDetails() {
    const data = this.detailsOf('WAIT');
    return (
      data && {
        waitSeconds: this.getEvents()?.[0]?.WaitStartedDetails?.Duration,
        scheduledEndTimestamp: data.WaitDetails?.ScheduledEndTimestamp,
      }
    );
  }

  getChildOperations(): OperationHandle[] | undefined {
    const id = this.getId();
    if (id === undefined) return undefined;
    return this.scope.childrenOf(id).map((child) => this.scope.handleOf(child));
  }

  getOperationData(): Operation | undefined {
    return this.find()?.operation;
  }

  getEvents() {
    return this.find()?.events;
  }

  getId() {
    return this.getOperationData()?.Id;
  }

  getParentId() {
    return this.getOperationData()?.ParentId;
  }

  getName() {
    return this.getOperationData()?.Name;
  }

  getType() {
    return this.getOperationData()?.Type;
  }

  getSubType() {
    return this.getOperationData()?.SubType as OperationSubType | undefined;
  }

  isWaitForCallback(): boolean {
    return this.getType() === 'CONTEXT' && this.getSubType() === 'WaitForCallback';
  }

  isCallback(): boolean {
    return this.getType() === 'CALLBACK';
  }

  getStatus() {
    return this.getOperationData()?.Status;
  }

  getStartTimestamp() {
    return this.getOperationData()?.StartTimestamp;
  }

  getEndTimestamp() {
    return this.getOperationData()?.EndTimestamp;
  }

  // These throw at once, and do not reject, when there is no callback to answer.
  sendCallbackSuccess(result?: string) {
    return this.scope.sender.sendCallbackSuccess(this.callbackId(), result).then(() => ({}));
  }

  sendCallbackFailure(error?: ErrorObject) {
    return this.scope.sender.sendCallbackFailure(this.callbackId(), error).then(() => ({}));
  }

  sendCallbackHeartbeat() {
    return this.scope.sender.sendCallbackHeartbeat(this.callbackId()).then(() => ({}));
  }

  private callbackId(): string {
    const details = this.getCallbackDetails();
    if (details === undefined)
      throw new Error('The callback has not been created yet; await waitForData() first.');
    return details.callbackId;
  }

  private callbackInside(): Operation {
    const callback = this.children().find(({Type}) => Type === 'CALLBACK');
    if (callback === undefined)
      throw new Error('The waitForCallback has not created its callback yet.');
    return callback;
  }

  private children(): Operation[] {
    return this.scope.childrenOf(this.getId()!).map(({operation}) => operation);
  }

  private detailsOf(type: string): Operation | undefined {
    const data = this.getOperationData();
    if (data !== undefined && data.Type !== type)
      throw new Error(`Operation type ${data.Type} is not ${type}`);
    return data;
  }

  private isAsFarAs(status: WaitingOperationStatus): boolean {
    if (this.isWaitForCallback()) return this.isCallbackAsFarAs(status);
    return matches(this.getStatus(), status);
  }

  // A waitForCallback is as far as what is in it: tests want its callback's id.
  private isCallbackAsFarAs(status: WaitingOperationStatus): boolean {
    if (isTerminal(this.getStatus())) return true;
    const inside = this.children();
    const submitter = inside.find(({Type}) => Type === 'STEP');
    const callback = inside.find(({Type}) => Type === 'CALLBACK');
    if (callback === undefined) return false;
    if (matches(callback.Status, status)) return true;
    return status === WaitingOperationStatus.SUBMITTED && isTerminal(submitter?.Status);
  }
}

const matches = (actual: OperationStatus | undefined, wanted: WaitingOperationStatus) =>
  wanted === WaitingOperationStatus.STARTED ? actual !== undefined : isTerminal(actual);
