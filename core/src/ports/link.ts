/**
 * One direction each way between two threads of a node. `send` only queues; the queue leaves as one
 * packed buffer at the end of the turn. Order is kept, nothing is lost while both threads live.
 */
export interface Link<Out, In> {
  send(message: Out): void
  onReceive(receive: (messages: readonly In[]) => void): void
}
