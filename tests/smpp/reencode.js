// Reads PDUs as lines of hexadecimal and writes each as node's `smpp` writes what it read. argv: the module's folder.
const { PDU } = require(process.argv[2]);
for (const line of require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  console.log(PDU.fromBuffer(Buffer.from(line, 'hex')).toBuffer().toString('hex'));
}
