from __future__ import annotations

import torch

from mars_pl.uss.leopart.token_queue import TokenQueue


def rows(*values):
    return torch.tensor([[float(value)] * 2 for value in values])


def held(queue):
    return queue.vectors[:, 0].tolist()


def test_the_newest_stand_in_front_and_the_oldest_fall_out():
    queue = TokenQueue(4, 2)
    for value in (1, 2, 3):
        queue.push(rows(value), most=5)
    assert held(queue) == [3, 2, 1, 0] and not queue.full
    queue.push(rows(4, 4), most=5)
    assert held(queue) == [4, 4, 3, 2] and queue.full


def test_no_more_than_asked_for_and_no_more_than_it_holds():
    queue = TokenQueue(4, 2)
    queue.push(rows(1, 2, 3), most=2)
    assert int(queue.stored) == 2 and set(held(queue)[:2]) < {1, 2, 3}
    queue.push(rows(*range(5, 15)), most=10)
    assert len(queue.vectors) == 4 and min(held(queue)) >= 5


def test_nothing_pushed_changes_nothing():
    queue = TokenQueue(3, 2)
    queue.push(rows(1), most=1)
    queue.push(torch.zeros(0, 2), most=4)
    assert held(queue) == [1, 0, 0] and int(queue.stored) == 1


def test_it_is_part_of_a_checkpoint():
    queue, resumed = TokenQueue(3, 2), TokenQueue(3, 2)
    queue.push(rows(1, 2, 3), most=3)
    resumed.load_state_dict(queue.state_dict())
    assert held(resumed) == held(queue) and resumed.full
