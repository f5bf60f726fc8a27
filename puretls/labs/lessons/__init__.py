"""Twelve lessons with exercises: Markdown whose programs run, and graders that say in plain words what is expected and what came.

`lesson.LESSONS` lists them, `lesson.page` has the text of one, `reading.read` plays it, `marking.mark` marks answers.
"""
