"""Days, times and hours: what callers mean by them, when the business is open, what is free.

Everything here is pure: the present moment is an argument.

- ``schedule``   opening hours and holidays, and the arithmetic on them
- ``when``       "next Tuesday at half past three" as days and a time; by ``spoken_days``,
  ``day_readers``, ``spoken_times``, ``spoken_numbers``, ``relative_moments``, ``dates`` (a library)
- ``days``, ``times``   the same in questions about opening hours, and how they are said
- ``slots``      free times for an appointment
- ``spoken_slots``   how free times are offered
"""
