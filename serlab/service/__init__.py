"""An HTTP service that answers recordings and trains models: what ``serlab serve`` starts.

`app` has the endpoints, `core` what they ask, `guard` what holds for every request, `listeners` the processes
that listen, `jobs` the state of training, in SQLite, `trainer` the process that trains, and `settings` what
can be chosen. What is predicted and trained is the business of `serlab.prediction`.
"""
