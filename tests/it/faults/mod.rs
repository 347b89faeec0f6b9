//! What a machine does to a program: its disk fails, is full or is closed to it, its store goes, its
//! clock jumps, its client does not read. Whatever was acknowledged holds, the rest is refused in
//! words, and it goes on when the machine does.

mod clock;
mod descriptors;
mod each_call;
mod files;
mod stopped;
mod unread;
