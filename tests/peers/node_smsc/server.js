#!/usr/bin/env node
// An SMSC to judge by: the protocol is the npm package smpp, a codec that this project did not write.
//
// It answers in order after a constant delay, closes the older bind of a system_id when a new one comes,
// and refuses with ESME_RTHROTTLED what exceeds a sliding window of one second, counted at arrival.
// All times are milliseconds of a monotonic clock that begins with the process.
'use strict';

const fs = require('fs');
const http = require('http');
const { performance } = require('perf_hooks');
const { parseArgs } = require('util');
const smpp = require('smpp');

const WINDOW = 1000;
const HOST = '127.0.0.1';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    limit: { type: 'string', default: '0' },
    delay: { type: 'string', default: '0' },
    'allow-binds': { type: 'string', default: '1' },
    'at-unbind': { type: 'string', default: 'answer' },
    coalesce: { type: 'string', default: '0' },
    'tls-pem': { type: 'string' },
    'exit-with-stdin': { type: 'boolean', default: false },
  },
});

// What may change while running. limit: messages a second for each system_id, 0 for none. delay: ms to the
// answer. allow_binds: open binds for each system_id. at_unbind: 'answer' after all that is pending, or 'close'
// without a word. coalesce: ms over which answers are collected into one write, 0 for none. silent: no answers.
// bind_status: the status that every bind is refused with, 0 for none. close_binds_after: ms that a bind may last, 0
// for any time. already_bound: binds beyond those allowed are answered with ESME_RALYBND, and count as none. away: no
// connection is taken, and those that are there are cut.
const settings = {
  limit: Number(options.limit),
  delay: Number(options.delay),
  allow_binds: Number(options['allow-binds']),
  at_unbind: options['at-unbind'],
  coalesce: Number(options.coalesce),
  silent: false,
  bind_status: 0,
  close_binds_after: 0,
  already_bound: false,
  away: false,
};

const accepted = []; // times of arrival
const refused = [];
const events = []; // what happened to binds, and changes of the limit
const messages = new Map(); // destination|text -> [accepted, refused]
const accounts = new Map(); // system_id -> {binds, window, head}
let doubled = 0;
let bound = 0;
let nextSession = 0;
let nextMessage = 0;
let port = 0; // kept while it listens to nobody

function account(systemId) {
  let found = accounts.get(systemId);
  if (!found) {
    found = { binds: [], window: [], head: 0 };
    accounts.set(systemId, found);
  }
  return found;
}

function withinLimit(owner, now) {
  if (!settings.limit) return true;
  while (owner.head < owner.window.length && owner.window[owner.head] <= now - WINDOW) owner.head += 1;
  if (owner.window.length - owner.head >= settings.limit) return false;
  if (owner.head > 10000) {
    owner.window = owner.window.slice(owner.head);
    owner.head = 0;
  }
  owner.window.push(now);
  return true;
}

function textOf(pdu) {
  const short = pdu.short_message;
  const text = short && short.message !== undefined ? short.message : short;
  return Buffer.isBuffer(text) ? text.toString('hex') : String(text);
}

// The answers of one connection: one queue, one timer for its head, so that a long queue costs no timers
// and nothing overtakes.
class Answers {
  constructor(session) {
    this.session = session;
    this.queue = [];
    this.head = 0;
    this.timer = null;
    this.lastDue = 0;
  }

  get length() {
    return this.queue.length - this.head;
  }

  add(pdu, now) {
    if (settings.silent) return;
    let due = now + settings.delay;
    if (settings.coalesce) due = Math.ceil(due / settings.coalesce) * settings.coalesce;
    this.lastDue = Math.max(this.lastDue, due); // a shorter delay must not let an answer overtake
    this.queue.push({ due: this.lastDue, pdu });
    this.arm();
  }

  arm() {
    if (this.timer !== null || !this.length) return;
    const wait = this.queue[this.head].due - performance.now();
    if (wait <= 0) {
      this.timer = setImmediate(() => this.write());
    } else {
      this.timer = setTimeout(() => this.write(), wait);
    }
  }

  write() {
    this.timer = null;
    const now = performance.now();
    const due = [];
    while (this.length && this.queue[this.head].due <= now) {
      due.push(this.queue[this.head].pdu);
      this.head += 1;
    }
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    }
    if (this.session.socket.writable) {
      const buffers = due.map((pdu) => pdu.toBuffer());
      if (settings.coalesce) {
        if (buffers.length) this.session.socket.write(Buffer.concat(buffers));
      } else {
        for (const buffer of buffers) this.session.socket.write(buffer);
      }
      if (due.some((pdu) => pdu.command === 'unbind_resp')) this.session.close();
    }
    this.arm();
  }

  drop() {
    if (this.timer !== null) {
      clearTimeout(this.timer);
      clearImmediate(this.timer);
    }
    this.timer = null;
    const lost = this.length;
    this.queue = [];
    this.head = 0;
    return lost;
  }
}

function onBind(link, pdu) {
  const now = performance.now();
  const owner = account(pdu.system_id);
  const full = settings.already_bound && owner.binds.length >= settings.allow_binds;
  const status = settings.bind_status || (full ? smpp.ESME_RALYBND : 0);
  if (status) {
    events.push({ at: now, event: 'bind refused', system_id: pdu.system_id, session: link.id, status });
    link.answers.add(pdu.response({ command_status: status }), now);
    return;
  }
  while (owner.binds.length >= settings.allow_binds) {
    const older = owner.binds.shift();
    events.push({ at: now, event: 'closed older', system_id: pdu.system_id, session: older.id,
      unanswered: older.answers.drop() });
    older.session.close();
  }
  link.systemId = pdu.system_id;
  link.boundAt = now;
  owner.binds.push(link);
  bound += 1;
  events.push({ at: now, event: 'bind', system_id: pdu.system_id, session: link.id });
  link.answers.add(pdu.response({ system_id: 'node' }), now);
}

function onSubmit(link, pdu) {
  const now = performance.now();
  const owner = link.systemId === null ? undefined : account(link.systemId);
  if (!owner || !owner.binds.includes(link)) {
    link.answers.add(pdu.response({ command_status: smpp.ESME_RINVBNDSTS }), now);
    return;
  }
  const key = `${pdu.destination_addr}|${textOf(pdu)}`;
  let counts = messages.get(key);
  if (!counts) messages.set(key, (counts = [0, 0]));
  if (withinLimit(owner, now)) {
    accepted.push(now);
    counts[0] += 1;
    if (counts[0] > 1) doubled += 1;
    nextMessage += 1;
    link.answers.add(pdu.response({ message_id: nextMessage.toString(16) }), now);
  } else {
    refused.push(now);
    counts[1] += 1;
    link.answers.add(pdu.response({ command_status: smpp.ESME_RTHROTTLED }), now);
  }
}

function leave(link, event) {
  if (link.systemId === null) return;
  const owner = account(link.systemId);
  const index = owner.binds.indexOf(link);
  if (index === -1) return;
  owner.binds.splice(index, 1);
  events.push({ at: performance.now(), event, system_id: link.systemId, session: link.id,
    unanswered: link.answers.length });
}

function onUnbind(link, pdu) {
  const closes = settings.at_unbind === 'close';
  leave(link, closes ? 'unbind, closed' : 'unbind');
  if (closes) {
    link.answers.drop();
    link.session.destroy();
  } else {
    link.answers.add(pdu.response(), performance.now());
  }
}

const tls = {};
if (options['tls-pem']) tls.key = tls.cert = fs.readFileSync(options['tls-pem']);

const server = smpp.createServer(tls, (session) => {
  const link = { id: (nextSession += 1), session, systemId: null, answers: new Answers(session) };
  session.socket.setNoDelay(true);
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(command, (pdu) => onBind(link, pdu));
  }
  session.on('submit_sm', (pdu) => onSubmit(link, pdu));
  session.on('enquire_link', (pdu) => link.answers.add(pdu.response(), performance.now()));
  session.on('unbind', (pdu) => onUnbind(link, pdu));
  session.on('error', () => session.destroy());
  session.on('close', () => {
    leave(link, 'lost');
    link.answers.drop();
  });
});
server.on('tlsClientError', () => {});

function counters() {
  let once = 0;
  for (const counts of messages.values()) if (counts[0]) once += 1;
  let pending = 0;
  let open = 0;
  for (const owner of accounts.values()) {
    open += owner.binds.length;
    for (const link of owner.binds) pending += link.answers.length;
  }
  return { now: performance.now(), accepted: accepted.length, refused: refused.length, doubled,
    distinct_seen: messages.size, distinct_accepted: once, pending, open, bound, settings };
}

function change(wanted) {
  for (const [name, value] of Object.entries(wanted)) {
    if (!(name in settings) || typeof value !== typeof settings[name]) throw new Error(`bad setting: ${name}`);
  }
  const wasAway = settings.away;
  Object.assign(settings, wanted);
  if (settings.away && !wasAway) {
    port = server.address().port;
    server.close();
    for (const session of server.sessions) session.destroy();
  } else if (wasAway && !settings.away) {
    server.listen(port, HOST);
  }
  events.push({ at: performance.now(), event: 'settings', ...wanted });
}

function closeBinds() {
  for (const owner of accounts.values()) for (const link of [...owner.binds]) link.session.destroy();
}

// What has been bound for as long as a bind may last is closed, unanswered submits and all.
setInterval(() => {
  if (!settings.close_binds_after) return;
  const before = performance.now() - settings.close_binds_after;
  for (const owner of accounts.values()) {
    for (const link of [...owner.binds]) {
      if (link.boundAt > before) continue;
      leave(link, 'closed');
      link.answers.drop();
      link.session.destroy();
    }
  }
}, 20).unref();

const control = http.createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    let status = 200;
    let answer;
    const what = `${request.method} ${request.url}`;
    try {
      if (what === 'GET /counters') answer = counters();
      else if (what === 'GET /timeline') answer = { now: performance.now(), accepted, refused, events };
      else if (what === 'GET /messages') answer = Object.fromEntries(messages);
      else if (what === 'POST /settings') {
        change(JSON.parse(body));
        answer = settings;
      } else if (what === 'POST /close-binds') {
        closeBinds();
        answer = {};
      } else [status, answer] = [404, { error: what }];
    } catch (error) {
      [status, answer] = [400, { error: error.message }];
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
});

server.listen(Number(options.port), HOST, () => {
  control.listen(Number(options['control-port']), HOST, () => {
    console.log(JSON.stringify({ port: server.address().port, control_port: control.address().port }));
  });
});

if (options['exit-with-stdin']) {
  // Whoever started this is gone: leave no process behind.
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
}
