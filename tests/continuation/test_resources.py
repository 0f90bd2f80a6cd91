"""What served models share, as others get hold of it."""

import pickle

from nextvec.continuation.resources import Resources


def test_a_snapshot_with_its_texts_at_hand_is_pickled_without_them(tales):
    snapshot = Resources(tales).corpus("tales")
    texts = snapshot.texts(range(len(snapshot)))
    content = pickle.dumps(snapshot)
    assert texts[0].encode() not in content
    again = pickle.loads(content)
    assert again.fingerprint == snapshot.fingerprint
    assert again.texts(range(len(again))) == texts
    assert pickle.loads(pickle.dumps(again)).texts([3, 0]) == [texts[3], texts[0]]
