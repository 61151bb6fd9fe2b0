"""The live half: sessions that run in this process, their peers and their media.

LiveService            which sessions run; joins, resumes, the end of what is over; what REST asks
  └─ LiveSession       one session: decide, stop or start media, keep, announce, in this order
       ├─ Owner        applies its commands one after the other
       ├─ domain.Session
       ├─ MediaSession (port)  its media on a node
       └─ Announcer    who hears what, over the PeerHub (port)
"""
