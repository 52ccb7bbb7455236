#!/usr/bin/env node
// A client to judge an SMSC by: the protocol is the npm package smpp, a codec that this project did not write.
//
// Takes one argument, a JSON object: port, tls, bind (the fields of a bind, and its command), requests (each with a
// command and fields), deliveries (how many deliver_sm to wait for). Prints what it was answered and sent, as JSON.
// Octets are written {"hex": "..."}; an object as short_message may have a udh beside its message.
'use strict';

const smpp = require('smpp');

const wanted = JSON.parse(process.argv[2]);
const told = { bind: null, responses: [], deliveries: [] };

function octets(value) {
  if (Array.isArray(value)) return value.map(octets);
  if (value === null || typeof value !== 'object') return value;
  if ('hex' in value) return Buffer.from(value.hex, 'hex');
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, octets(each)]));
}

function plain(value) {
  if (Buffer.isBuffer(value)) return { hex: value.toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function end(code) {
  console.log(JSON.stringify(told));
  process.exit(code);
}

const url = `${wanted.tls ? 'ssmpp' : 'smpp'}://127.0.0.1:${wanted.port}`;
const session = smpp.connect({ url, rejectUnauthorized: false });
session.on('error', (error) => {
  told.error = String(error);
  end(1);
});
session.on('close', () => end(0));

function done() {
  if (told.responses.length < wanted.requests.length || told.deliveries.length < (wanted.deliveries || 0)) return;
  session.unbind((pdu) => {
    told.unbind = plain(pdu);
    end(0);
  });
}

session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  told.deliveries.push(plain(pdu));
  done();
});

const { command: bind, ...fields } = wanted.bind;
session.on(wanted.tls ? 'secureConnect' : 'connect', () => {
  session[bind](octets(fields), (pdu) => {
    told.bind = plain(pdu);
    if (pdu.command_status !== 0) end(0);
    for (const { command, ...request } of wanted.requests) {
      session[command](octets(request), (answer) => {
        told.responses.push(plain(answer));
        done();
      });
    }
    done();
  });
});
