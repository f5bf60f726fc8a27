"""Labs and lessons: TLS learned by breaking it. For `puretls.cli` alone; the library never loads any of it.

`lab` has the table of the labs, `grading` judges the files that learners write. The weak peers are toys: they are attacked in memory,
and what listens at all listens on 127.0.0.1 or ::1 (`local`).
"""
