// The door for sockets: who may open one, and what each is connected to.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { Connection } from './connection.ts';
import type { Guest, Office } from './office.ts';

/** A handler of the HTTP server's `upgrade`. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const refuse = (socket: Duplex, status: 404 | 429 | 503): void => {
  const later = status === 404 ? '' : 'Retry-After: 5\r\n';
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${later}Connection: close\r\n\r\n`);
};

/** @param path at which sockets are served */
export const createUpgrade = <Asking>(office: Office<Asking>, path: string): Upgrade => {
  const { frame } = office.bounds;
  const { log, receive } = office.reception;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: frame,
    perMessageDeflate: false,
    handleProtocols: (offered) => handleProtocols(offered),
  });

  const serve = (socket: WebSocket, guest: Guest<Asking>): void => {
    const connection = new Connection(socket, guest, office);
    office.clients.add(connection);
    // ws has closed it with the code that fits, such as 1009 for too large a frame.
    socket.on('error', (error) => log.info({ err: error }, 'a socket broke'));
    socket.on('ping', () => connection.pinged());
    socket.on('pong', () => connection.ponged());
    socket.on('message', (data) => {
      try {
        connection.hear(String(data));
      } catch (error) {
        log.error({ err: error }, 'a message on a socket failed');
        if (socket.readyState === socket.OPEN)
          socket.close(CloseCode.InternalServerError, 'Internal server error');
      }
    });
    socket.once('close', () => {
      office.clients.delete(connection);
      office.addresses.give(guest.address);
      connection.closed();
    });
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL)
      socket.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
  };

  return (request, socket, head) => {
    // A client that goes away in the middle of its handshake is its own affair.
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?')[0] !== path) return refuse(socket, 404);
    const guest = receive(request);
    const refusal = office.refusal(guest.address);
    if (refusal !== null) return refuse(socket, refusal);
    let isServed = false;
    socket.once('close', () => {
      if (!isServed) office.addresses.give(guest.address);
    });
    server.handleUpgrade(request, socket, head, (opened) => {
      isServed = true;
      serve(opened, guest);
    });
  };
};
